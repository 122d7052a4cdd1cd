import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { checkIdentityFile, identitiesFolder } from './identity-files.ts';

/** More is no key. */
const maxBytes = 64 * 1024;

/** The identity file at `path`, checked as when its host was registered. Throws invalid-host, or what reading throws. */
export async function readIdentityFile(dataDir: string, path: string): Promise<Buffer> {
  const below = await checkIdentityFile(dataDir, path);
  const folder = await realpath(identitiesFolder(dataDir));
  const file = await open(join(folder, below), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
