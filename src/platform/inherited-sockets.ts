/** The listening sockets that a service manager passes on (sd_listen_fds(3)). */

const firstSocket = 3;

/** Names of listeners, as `FileDescriptorName=` has them. */
const names = new Set(['ssh', 'http', 'health']);

/**
 * By the name of the listener, its file descriptor. A single socket without such a name is for SSH. Takes the variables out of
 * `env`: they are meant for this process alone.
 */
export function takeInheritedSockets(
  env: NodeJS.ProcessEnv,
  warn: (sentence: string) => void,
): ReadonlyMap<string, number> {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: given = '' } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  const sockets = new Map<string, number>();
  if (pid !== String(process.pid)) return sockets;
  const givenNames = given.split(':');
  for (let index = 0; index < Number(count); index++) {
    const own = givenNames[index] ?? '';
    const name = Number(count) === 1 && !names.has(own) ? 'ssh' : own;
    if (names.has(name) && !sockets.has(name)) sockets.set(name, firstSocket + index);
    else warn(`a socket named "${own}" was passed on and is not used; name one each ssh, http and health`);
  }
  return sockets;
}
