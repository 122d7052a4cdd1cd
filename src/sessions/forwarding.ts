/** Where a key may be forwarded to: by jumps, and on the way to a container's web server. */
import type { Principal } from '../auth/authorizer.ts';
import { permitsListen, permitsOpen } from '../keys/permit-patterns.ts';
import type { ForwardDestination } from '../targets/target.ts';

/** sshd(8) permitopen=: `web` and `rexec-web` are one name, as they are to whoever asks. */
export function permitsForwarding(
  { key: { restrictions } }: Principal,
  name: string,
  port: number,
  targetPrefix: string,
): boolean {
  const { permitOpen } = restrictions;
  const isHost = (permitted: string) => withoutPrefix(permitted, targetPrefix) === name;
  return permitOpen === undefined || permitsOpen(permitOpen, isHost, port);
}

export const withoutPrefix = (name: string, targetPrefix: string): string =>
  name.toLowerCase().startsWith(targetPrefix) ? name.slice(targetPrefix.length) : name;

/**
 * The same for one key's list. `byName`: the host is a target's name, which `rexec-` may precede; else it is one that
 * only the target itself looks up, compared as written.
 */
export function permitsDestination(
  permitOpen: readonly string[] | undefined,
  host: string,
  port: number,
  targetPrefix: string,
  byName: boolean,
): boolean {
  const isHost = (permitted: string) =>
    (byName ? withoutPrefix(permitted, targetPrefix) : permitted) === host;
  return permitOpen === undefined || permitsOpen(permitOpen, isHost, port);
}

/** A name or an address, a port there is: whatever else a peer sends is looked up by nobody. */
export const mayBeDestination = ({ host, port }: ForwardDestination): boolean =>
  /^[A-Za-z0-9._:%-]{0,255}$/.test(host) && port >= 1 && port <= 65_535;

/** sshd(8) permitlisten=: where a key may have us listen. */
export const permitsListening = (
  permitListen: readonly string[] | undefined,
  { host, port }: ForwardDestination,
): boolean => permitListen === undefined || permitsListen(permitListen, host, port);

/** Port 0 asks for any free one, RFC 4254 §7.1. */
export const mayBePlace = ({ host, port }: ForwardDestination): boolean =>
  mayBeDestination({ host: host === '*' ? '' : host, port: port || 1 });
