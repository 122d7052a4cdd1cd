/** What a login name asks for; the table is in spec order: target, user at target, join, lobby. */

export type Destination =
  | { readonly kind: 'lobby' }
  | { readonly kind: 'target'; readonly target: string; readonly user?: string }
  | { readonly kind: 'join'; readonly code: string };

/** Parses a login name; `prefix` is config's targetPrefix (`rexec-`). Never throws: the rest is the lobby. */
export function parseLoginName(loginName: string, prefix: string): Destination {
  const plus = loginName.indexOf('+');
  if (plus === -1) {
    return startsWithPrefix(loginName, prefix)
      ? { kind: 'target', target: loginName.slice(prefix.length) }
      : { kind: 'lobby' };
  }
  const before = loginName.slice(0, plus);
  const after = loginName.slice(plus + 1);
  if (before === 'join') return { kind: 'join', code: after };
  const target = startsWithPrefix(after, prefix) ? after.slice(prefix.length) : after;
  return before === '' ? { kind: 'target', target } : { kind: 'target', target, user: before };
}

/** OpenSSH lower-cases host names, people do not: the prefix counts in any case. */
const startsWithPrefix = (name: string, prefix: string) => name.toLowerCase().startsWith(prefix);

/** For logs and `session list`: an invite's code is a secret. */
export function maskLoginName(loginName: string): string {
  return loginName.replace(/^join\+.*/s, 'join+***');
}
