/** passwd(5) as found in a container, and which of its users a session runs as. */

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** Empty means /bin/sh, passwd(5). */
  readonly shell: string;
}

/** Who a session runs as. `engineUser` is what the engine is told; undefined: the container's own. */
export interface SessionUser {
  readonly engineUser: string | undefined;
  readonly uid: number;
  /** A gid, or the name that the engine will look up in the container's /etc/group. */
  readonly group: number | string;
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

const maxUid = 2 ** 31 - 1;

/** Lines that are no entry are passed over, as libc does. */
export function parsePasswd(text: string): readonly PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of text.split('\n')) {
    const [name, , uid, gid, , home, shell] = line.split(':');
    if (!name || name.startsWith('#') || !uid || !/^\d+$/.test(uid)) continue;
    entries.push({
      name,
      uid: Number(uid),
      gid: /^\d+$/.test(gid ?? '') ? Number(gid) : 0,
      home: home ?? '',
      shell: (shell ?? '').trim(),
    });
  }
  return entries;
}

/**
 * The user for a session: `requested`, else the container's `configured` one (`name`, `uid`,
 * `name:group` …), else root. A number without an entry is a user without a name. Undefined: there is
 * none. The engine gets names, so that it resolves supplementary groups; a requested user is only
 * handed over where passwd has that very name or it is a plain number, so that `alice:0` or `+0`
 * never reach the engine's own reading of them.
 */
export function findSessionUser(
  entries: readonly PasswdEntry[],
  requested: string | undefined,
  configured: string,
): SessionUser | undefined {
  if (requested !== undefined) return findUser(entries, requested, requested);
  if (configured === '') return findUser(entries, '0', undefined);
  const [name = '', group = ''] = configured.split(':');
  const user = findUser(entries, name, configured);
  return user && group ? { ...user, group: /^\d+$/.test(group) ? Number(group) : group } : user;
}

function findUser(
  entries: readonly PasswdEntry[],
  name: string,
  engineUser: string | undefined,
): SessionUser | undefined {
  const uid = /^\d{1,10}$/.test(name) && Number(name) <= maxUid ? Number(name) : undefined;
  const entry = entries.find((each) => each.name === name) ?? entries.find((each) => each.uid === uid);
  if (entry) {
    const { gid: group, shell } = entry;
    const home = entry.home.startsWith('/') ? entry.home : '/';
    return { engineUser, uid: entry.uid, group, name: entry.name, home, shell: shell || '/bin/sh' };
  }
  const nobody = { group: 0, home: '/', shell: '/bin/sh' };
  if (uid !== undefined) return { ...nobody, engineUser, uid, name: uid === 0 ? 'root' : name };
  // An image without a passwd still has its root.
  if (name === 'root') return { ...nobody, engineUser: '0', uid: 0, name: 'root' };
  return undefined;
}

/** group(5): the gid of that name. */
export function findGid(groupFile: string, name: string): number | undefined {
  const lines = groupFile.split('\n').map((line) => line.split(':'));
  const gid = lines.find(([found]) => found === name)?.[2] ?? '';
  return /^\d+$/.test(gid) ? Number(gid) : undefined;
}
