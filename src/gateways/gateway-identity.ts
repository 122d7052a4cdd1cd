/** Whose data folder it is: a gateway that starts again there, with whatever process, is the same one. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomId } from '../platform/ids.ts';

const form = /^[a-z2-7]{26}$/;

/** Made on the first call. To be called by whoever holds the folder's lock. Throws what the disk throws. */
export async function readGatewayIdentity(dataDir: string): Promise<string> {
  const path = join(dataDir, 'gateway-identity');
  const found = await readFile(path, 'utf8').catch(() => '');
  if (form.test(found.trim())) return found.trim();
  const made = randomId(26);
  await writeFile(path, `${made}\n`, { mode: 0o600 });
  return made;
}
