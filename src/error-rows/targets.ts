/** Targets. One sentence for "does not exist" and "is not yours", so that nothing can be probed. */
import { row, session } from './row.ts';

export const targetsErrors = {
  'target-not-found': row<{ target: string; reachable: string }>(
    255,
    404,
    ({ target, reachable }) => `no target "${target}" for you here. ${reachable}`,
  ),
  'target-ambiguous': row<{ target: string; ids: string }>(
    255,
    409,
    ({ target, ids }) => `"${target}" names more than one target: ${ids}. Use one of these ids.`,
  ),
  'tag-not-found': row<{ target: string; tag: string }>(
    1,
    404,
    ({ target, tag }) => `${target} carries no tag "${tag}"; "tag ${target}" shows those it carries.`,
  ),
  'grant-not-found': row<{ target: string; account: string }>(
    1,
    404,
    ({ target, account }) =>
      `${target} is not shared with "${account}"; "share show ${target}" lists who it is shared with.`,
  ),
  'target-user-refused': row<{ user: string; target: string }>(
    255,
    403,
    ({ user, target }) =>
      `you may not enter ${target} as "${user}"; leave the user name out to use the default one.`,
  ),
  'no-such-user': session<{ user: string; target: string }>(
    ({ user, target }) => `there is no user "${user}" in ${target}; leave it out to use the default one.`,
  ),
  'container-not-running': session<{ name: string; state: string }>(
    ({ name, state }) =>
      `container ${name} is ${state}; "ssh GATEWAY start ${name}" starts it, if it is yours.`,
  ),
  'container-ended': session<{ name: string }>(
    ({ name }) => `container ${name} stopped while the session was running.`,
  ),
  'container-gone': session<{ name: string }>(
    ({ name }) => `container ${name} no longer exists; "ssh GATEWAY ls" shows what there is.`,
  ),
  'no-shell': session<{ name: string }>(
    ({ name }) => `container ${name} has no shell; give a program to run, like "ssh … /bin/program".`,
  ),
  'engine-unavailable': row<{ reason: string }>(
    255,
    503,
    ({ reason }) =>
      `the Docker Engine cannot be reached (${reason}); containers are unavailable until it can.`,
  ),
  'engine-failed': session<{ reason: string }>(({ reason }) => `the Docker Engine refused: ${reason}`),
  'pty-refused': session(() => 'a terminal is not allowed here; run a command without one (ssh -T).'),
  'sftp-refused': session(() => 'file transfer is not allowed on this target for you.'),
  'no-sftp-server': session<{ name: string }>(
    ({ name }) =>
      `container ${name} has no sftp-server program, which file transfer needs; install one (Debian: openssh-sftp-server).`,
  ),
  'unknown-subsystem': session<{ subsystem: string }>(
    ({ subsystem }) => `the subsystem "${subsystem}" is not offered here; there is "sftp".`,
  ),
  'lobby-no-files': session(
    () => 'the lobby has no files: name a target as the login name, like "scp FILE rexec-NAME@GATEWAY:".',
  ),
  'port-refused': session<{ port: number }>(
    ({ port }) => `port ${port} is not forwarded here; a target is reached at port 22, with "ssh -J".`,
  ),
  'forwarding-refused': session(() => 'the key you used may not forward, and a jump is a forwarding.'),
  'destination-refused': session<{ permitted: string }>(
    ({ permitted }) => `the key you used may be forwarded to ${permitted} only (its permitopen=).`,
  ),
  'forced-command-only': session(() => 'the key you used may only run its own forced command.'),
} as const;
