/** Targets. One sentence for "does not exist" and "is not yours", so that nothing can be probed. */
import { row, session } from './row.ts';

export const targetsErrors = {
  'target-not-found': row<{ target: string; reachable: string }>(
    255,
    404,
    ({ target, reachable }) => `no target "${target}" for you here. ${reachable}`,
  ),
  'target-ambiguous': row<{ target: string; ids: string; what?: 'ids' | 'names' }>(
    255,
    409,
    ({ target, ids, what = 'ids' }) =>
      `"${target}" names more than one target: ${ids}. Use one of these ${what}.`,
  ),
  'not-a-container': row<{ name: string }>(
    1,
    400,
    ({ name }) => `${name} is a registered host, and this is for containers only; "ls" shows which are.`,
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
  'container-not-running': row<{ name: string; state: string }>(
    255,
    503,
    ({ name, state }) =>
      `container ${name} is ${state}; "ssh GATEWAY start ${name}" starts it, if it is yours.`,
  ),
  'container-ended': session<{ name: string }>(
    ({ name }) => `container ${name} stopped while the session was running.`,
  ),
  'program-lost': session<{ name: string }>(
    ({ name }) =>
      `container ${name} ended what ran the program there, and with it the session; see what the program has done, and run it again.`,
  ),
  'container-gone': row<{ name: string }>(
    255,
    503,
    ({ name }) => `container ${name} no longer exists; "ssh GATEWAY ls" shows what there is.`,
  ),
  'web-refused': row<{ name: string }>(
    255,
    403,
    ({ name }) =>
      `you may not forward to the port of ${name}'s web server, by your key or by how ${name} is shared with you; ask who manages it.`,
  ),
  'web-no-address': row<{ name: string }>(
    255,
    502,
    ({ name }) => `container ${name} has no address of its own; connect it to a network of the engine's.`,
  ),
  'web-port-invalid': row<{ name: string }>(
    255,
    502,
    ({ name }) => `the label rexec.http.port of container ${name} is no port; it takes 1 to 65535.`,
  ),
  'web-port-closed': row<{ name: string; ports: string }>(
    255,
    502,
    ({ name, ports }) =>
      `nothing listens in container ${name} on port ${ports}; start its web server, or say its port with the label rexec.http.port.`,
  ),
  'web-unreachable': row<{ name: string }>(
    255,
    502,
    ({ name }) =>
      `the address of container ${name} cannot be reached from here; the gateway must be on the engine's machine or on the container's network.`,
  ),
  'web-failed': row<{ name: string }>(
    255,
    502,
    ({ name }) =>
      `the web server of container ${name} hung up, or what it sent is not sound HTTP; look into its log.`,
  ),
  'forward-refused': row<{ name: string }>(
    255,
    403,
    ({ name }) =>
      `you may not forward into ${name}, by your key or by how ${name} is shared with you; ask who manages it.`,
  ),
  'forward-failed': row<{ destination: string; name: string; reason: string }>(
    255,
    502,
    ({ destination, name, reason }) => `${destination} in ${name}: ${reason}`,
  ),
  'destination-invalid': row(
    255,
    400,
    () =>
      'that is no destination of a forward; give HOST:PORT, like localhost:8080, or the path of a socket.',
  ),
  'listening-refused': row<{ permitted: string }>(
    255,
    403,
    ({ permitted }) => `the key you used may have ${permitted} listened on only (its permitlisten=).`,
  ),
  'listening-in-lobby': session(
    () => 'there is nothing to listen in here: name a target as the login name, like "rexec-NAME".',
  ),
  'socket-in-lobby': session(
    () => 'there are no sockets here: name a target as the login name, like "rexec-NAME".',
  ),
  'agent-refused': row<{ name: string }>(
    255,
    403,
    ({ name }) => `your agent may not be forwarded into ${name}: the key you used forbids it.`,
  ),
  'agent-unavailable': row<{ reason: string }>(
    255,
    503,
    ({ reason }) => `your agent is not forwarded: ${reason}`,
  ),
  'too-many-forwards': row<{ limit: number }>(
    255,
    429,
    ({ limit }) => `${limit} forwards are open at once already; close some of them.`,
  ),
  'sidecar-unavailable': row<{ reason: string }>(
    255,
    503,
    ({ reason }) =>
      `nothing can be forwarded into this container (${reason}); ask the operator, or use a session.`,
  ),
  'no-shell': session<{ name: string }>(
    ({ name }) => `container ${name} has no shell; give a program to run, like "ssh … /bin/program".`,
  ),
  'pty-refused': session(() => 'a terminal is not allowed here; run a command without one (ssh -T).'),
  'sftp-refused': session(() => 'file transfer is not allowed on this target for you.'),
  'no-sftp-server': session<{ name: string }>(
    ({ name }) =>
      `container ${name} has neither an sftp-server nor a shell, one of which file transfer needs; give its image one.`,
  ),
  'sftp-malformed': session(() => 'the client sent what is no SFTP; the file transfer was ended.'),
  'unknown-subsystem': session<{ subsystem: string }>(
    ({ subsystem }) => `the subsystem "${subsystem}" is not offered here; there is "sftp".`,
  ),
  'lobby-no-files': session(
    () => 'the lobby has no files: name a target as the login name, like "scp FILE rexec-NAME@GATEWAY:".',
  ),
  'forwarding-refused': session(() => 'the key you used may not forward, and a jump is a forwarding.'),
  'destination-refused': row<{ permitted: string }>(
    255,
    403,
    ({ permitted }) => `the key you used may be forwarded to ${permitted} only (its permitopen=).`,
  ),
  'forced-command-only': row(255, 403, () => 'the key you used may only run its own forced command.'),
} as const;
