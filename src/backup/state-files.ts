/**
 * The files that a gateway is: its store, host keys, egress key and identity files. Each has a name in a backup, and a
 * place here. Not among them: the audit and recordings, which are of what happened, the log, and what is made anew.
 */
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface StateFolders {
  readonly dataDir: string;
  readonly hostKeysDir: string;
}

export const storeName = 'store/postern.json';
const egressName = /^data\/egress_ed25519_key(\.pub)?$/;
/** Those of a rotation that was begun too; not the old ones, which only people look at. */
const hostKeyName = /^hostkeys\/ssh_host_[a-z0-9]+_key(\.next)?(-cert)?(\.pub)?$/;
/** Without control characters, and no name that leads elsewhere. */
const identityName = /^data\/identities(\/(?!\.\.?(?:\/|$))[^/\\\p{Cc}]{1,255}){1,8}$/u;

/** Whether a backup may hold a file of this name: whoever made it must not choose where we write. */
export const isStateName = (name: string): boolean =>
  name === storeName || egressName.test(name) || hostKeyName.test(name) || identityName.test(name);

export const isSecret = (name: string): boolean => !name.endsWith('.pub');

/** Where it lies; `name` is one that `isStateName` lets pass. */
export function placeOf(name: string, { dataDir, hostKeysDir }: StateFolders): string {
  const [folder, ...rest] = name.split('/') as [string, ...string[]];
  return join(folder === 'hostkeys' ? hostKeysDir : dataDir, ...rest);
}

/** Names of those that are there, sorted. */
export async function listState(folders: StateFolders): Promise<readonly string[]> {
  const names = [
    storeName,
    ...(await filesIn(join(folders.dataDir, '.'), 'data', false)),
    ...(await filesIn(join(folders.dataDir, 'identities'), 'data/identities', true)),
    ...(await filesIn(folders.hostKeysDir, 'hostkeys', false)),
  ].filter(isStateName);
  const isThere = await Promise.all(names.map((name) => isFile(name, folders)));
  return names.filter((_, index) => isThere[index]).toSorted();
}

/** All but the store, which only its owner can copy. */
export async function readStateFiles(folders: StateFolders): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of await listState(folders)) {
    if (name !== storeName) files.set(name, await readFile(placeOf(name, folders)));
  }
  return files;
}

/**
 * What lies where a file of these names must lie, or a folder for one, and would not make room for it: a folder, or a
 * link that would choose where we write.
 */
export async function findObstacle(
  names: Iterable<string>,
  folders: StateFolders,
): Promise<string | undefined> {
  for (const name of names) {
    const parts = name.split('/');
    for (let depth = 2; depth <= parts.length; depth++) {
      const path = placeOf(parts.slice(0, depth).join('/'), folders);
      // DATA/identities itself may be a link of the operator's.
      const facts = await (depth === 2 ? stat : lstat)(path).catch(() => undefined);
      if (!facts) break;
      const makesRoom =
        depth === parts.length ? !facts.isDirectory() : facts.isDirectory() || (depth > 2 && facts.isFile());
      if (!makesRoom) return path;
    }
  }
  return undefined;
}

/** No links among identity files: what they lead to is somebody else's. Those for host keys the gateway follows, too. */
const isFile = (name: string, folders: StateFolders) =>
  (identityName.test(name) ? lstat : stat)(placeOf(name, folders)).then(
    (facts) => facts.isFile(),
    () => false,
  );

async function filesIn(folder: string, name: string, deep: boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names: string[] = [];
  for (const entry of entries) {
    const path = `${name}/${entry.name}`;
    if (entry.isFile() || entry.isSymbolicLink()) names.push(path);
    else if (deep && entry.isDirectory() && isStateName(path)) {
      names.push(...(await filesIn(join(folder, entry.name), path, true)));
    }
  }
  return names;
}
