/** The environment of a session, as sshd would make it: computed here, never by a shell. */
import type { Pty, SessionContext } from '../../sessions/session.ts';
import type { SessionUser } from './passwd.ts';

const terminalName = /^[\x21-\x7e]{1,128}$/;

/** A program may take these for the gateway's own word. */
const insideOnly = new Set(['SSH_TTY', 'SSH_ORIGINAL_COMMAND', 'SSH_AUTH_SOCK']);

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
  readonly originalCommand?: string | undefined;
  readonly agentSocket?: string | undefined;
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
  const { originalCommand, agentSocket } = facts;
  if (originalCommand !== undefined) own.set('SSH_ORIGINAL_COMMAND', originalCommand);
  if (agentSocket !== undefined) own.set('SSH_AUTH_SOCK', agentSocket);
  if (pty) own.set('TERM', terminalName.test(pty.term) ? pty.term : 'dumb');
  const requested = [...facts.requested].filter(
    ([name, value]) =>
      !own.has(name) && !insideOnly.has(name) && facts.isAccepted(name) && !/[\0\r\n]/.test(value),
  );
  return [...own, ...requested].map(([name, value]) => `${name}=${value}`);
}
