import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Runs `work` with the rights of whoever owns `folder`, or where it is missing what is above it, in place of root's: what it
 * writes is theirs, as the gateway must be able to read it, and no link that they planted leads to what is not. For others
 * than root, who own what they write, it just runs. The rights are this whole process' until then.
 */
export async function asOwnerOf<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const owner = process.geteuid?.() === 0 ? await findOwner(resolve(folder)) : undefined;
  if (!owner || owner.uid === 0) return work();
  const gid = process.getegid?.() ?? 0;
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([owner.gid]);
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(gid);
    process.setgroups?.(groups);
  }
}

/** Of a link its own, where it leads to something of root's: whoever made it chose that. */
async function findOwner(path: string): Promise<Pick<Stats, 'uid' | 'gid'> | undefined> {
  const itself = await lstat(path).catch(ifMissing);
  const leadsTo = await stat(path).catch(ifMissing);
  const owner = leadsTo && leadsTo.uid !== 0 ? leadsTo : itself;
  if (owner || path === dirname(path)) return owner;
  return findOwner(dirname(path));
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
