/** passwd(5) as found in a container, and which of its users a session runs as. */

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  /** Empty means /bin/sh, passwd(5). */
  readonly shell: string;
}

/** Who a session runs as. `engineUser` is what the engine is told; undefined: the container's own. */
export interface SessionUser {
  readonly engineUser: string | undefined;
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

const maxUid = 2 ** 31 - 1;

/** Lines that are no entry are passed over, as libc does. */
export function parsePasswd(text: string): readonly PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of text.split('\n')) {
    const [name, , uid, , , home, shell] = line.split(':');
    if (!name || name.startsWith('#') || !uid || !/^\d+$/.test(uid)) continue;
    entries.push({ name, uid: Number(uid), home: home ?? '', shell: (shell ?? '').trim() });
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
  return findUser(entries, configured.split(':')[0]!, configured);
}

function findUser(
  entries: readonly PasswdEntry[],
  name: string,
  engineUser: string | undefined,
): SessionUser | undefined {
  const uid = /^\d{1,10}$/.test(name) && Number(name) <= maxUid ? Number(name) : undefined;
  const entry = entries.find((each) => each.name === name) ?? entries.find((each) => each.uid === uid);
  if (entry) return { engineUser, name: entry.name, home: homeOf(entry), shell: entry.shell || '/bin/sh' };
  if (uid !== undefined) return { engineUser, name: uid === 0 ? 'root' : name, home: '/', shell: '/bin/sh' };
  // An image without a passwd still has its root.
  if (name === 'root') return { engineUser: '0', name: 'root', home: '/', shell: '/bin/sh' };
  return undefined;
}

const homeOf = (entry: PasswdEntry) => (entry.home.startsWith('/') ? entry.home : '/');
