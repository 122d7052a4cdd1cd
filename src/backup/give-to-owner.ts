import { lchown, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * All in `folder` to whoever owns it: what root puts there, the gateway must be able to read, which runs as somebody else.
 * Does nothing for others than root, who own what they write.
 */
export async function giveToOwner(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), uid, gid);
}
