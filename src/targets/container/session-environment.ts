/** The environment of a session, as sshd would make it: computed here, never by a shell. */
import type { Pty, SessionContext } from '../../sessions/session.ts';
import type { SessionUser } from './passwd.ts';

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const terminalName = /^[\x21-\x7e]{1,128}$/;

/** sshd_config's AcceptEnv: `*` and `?` are wildcards, everything else is literal. */
export function createEnvFilter(patterns: readonly string[]): (name: string) => boolean {
  const accepted = patterns.map((pattern) => {
    const source = [...pattern].map(
      (character) => wildcards.get(character) ?? character.replace(/\W/, '\\$&'),
    );
    return new RegExp(`^${source.join('')}$`);
  });
  return (name) => variableName.test(name) && accepted.some((each) => each.test(name));
}

const wildcards = new Map([
  ['*', '.*'],
  ['?', '.'],
]);

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
