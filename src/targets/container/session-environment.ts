/** The environment of a session, as sshd would make it: computed here, never by a shell. */
import type { Pty, SessionContext } from '../../sessions/session.ts';
import type { SessionUser } from './passwd.ts';

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const terminalName = /^[\x21-\x7e]{1,128}$/;

/** sshd_config's AcceptEnv: `*` and `?` are wildcards, everything else is literal. */
export function createEnvFilter(patterns: readonly string[]): (name: string) => boolean {
  return (name) => variableName.test(name) && patterns.some((pattern) => matches(pattern, name));
}

/** By going back to the last `*` only: a regular expression would take for ever over some names. */
function matches(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let position = 0; position < name.length; ) {
    if (pattern[at] === '*') {
      star = at;
      at += 1;
      resumeAt = position;
    } else if (pattern[at] === '?' || pattern[at] === name[position]) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      resumeAt += 1;
      position = resumeAt;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

/**
 * `NAME=value` entries on top of the container's own environment. What the gateway states
 * (HOME, SSH_CONNECTION …) cannot be replaced by the client, whatever the patterns let in.
 * SSH_TTY is known only inside: see launch.ts.
 */
export function sessionEnvironment(facts: {
  readonly user: SessionUser;
  readonly shell: string | undefined;
  readonly pty: Pty | undefined;
  readonly context: SessionContext;
  readonly requested: ReadonlyMap<string, string>;
  readonly isAccepted: (name: string) => boolean;
}): readonly string[] {
  const { user, shell, pty, context } = facts;
  const { source, local } = context;
  const own = new Map([
    ['HOME', user.home],
    ['USER', user.name],
    ['LOGNAME', user.name],
    ['SHELL', shell ?? user.shell],
    ['SSH_CONNECTION', `${source.address} ${source.port} ${local.address} ${local.port}`],
    ['SSH_CLIENT', `${source.address} ${source.port} ${local.port}`],
  ]);
  if (pty) own.set('TERM', terminalName.test(pty.term) ? pty.term : 'dumb');
  const requested = [...facts.requested].filter(
    ([name, value]) =>
      !own.has(name) && name !== 'SSH_TTY' && facts.isAccepted(name) && !/[\0\r\n]/.test(value),
  );
  return [...own, ...requested].map(([name, value]) => `${name}=${value}`);
}
