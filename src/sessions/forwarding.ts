/** Where a key may be forwarded to: by jumps, and on the way to a container's web server. */
import type { Principal } from '../auth/authorizer.ts';
import { GatewayError } from '../errors.ts';
import { permitsListen, permitsOpen } from '../keys/permit-patterns.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { KeyRestrictions } from '../store/schema.ts';
import { saysEngine } from '../targets/engine-names.ts';
import type { ForwardDestination, PortDestination, SocketDestination, Target } from '../targets/target.ts';

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
 * A name in permitopen= does not come to mean another engine's container once that has one of the name. Throws
 * destination-refused.
 */
export function checkEngineIsNamed({ permitOpen }: KeyRestrictions, name: string, target: Target): void {
  if (permitOpen === undefined || target.kind === 'host' || saysEngine(name, target)) return;
  throw new GatewayError('destination-refused', { permitted: permitOpen.join(', ') });
}

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

/** A name or an address, a port there is; or a path: whatever else a peer sends is looked up by nobody. */
export const mayBeDestination = (destination: ForwardDestination): boolean =>
  isSocket(destination) ? mayBeSocketPath(destination.path) : mayBePort(destination);

const mayBePort = ({ host, port }: PortDestination) =>
  /^[A-Za-z0-9._:%-]{0,255}$/.test(host) && port >= 1 && port <= 65_535;

/** PATH_MAX of Linux, its NUL taken off. */
const maxPathBytes = 4_095;

/** A NUL would name an abstract socket, and U+FFFD stands for bytes that are no UTF-8: another path than was meant. */
const mayBeSocketPath = (path: string) =>
  path !== '' && Buffer.byteLength(path) <= maxPathBytes && !/[\0\ufffd]/.test(path);

export const isSocket = (destination: ForwardDestination): destination is SocketDestination =>
  'path' in destination;

/** For people and the audit: `localhost:80`, `/run/app.sock`. */
export const destinationText = (destination: ForwardDestination): string =>
  isSocket(destination) ? excerpt(destination.path) : `${excerpt(destination.host)}:${destination.port}`;

/** sshd(8) permitlisten=: where a key may have us listen. */
export const permitsListening = (
  permitListen: readonly string[] | undefined,
  { host, port }: PortDestination,
): boolean => permitListen === undefined || permitsListen(permitListen, host, port);

/** Port 0 asks for any free one, RFC 4254 §7.1. */
export const mayBePlace = (place: ForwardDestination): boolean =>
  mayBeDestination(
    isSocket(place) ? place : { host: place.host === '*' ? '' : place.host, port: place.port || 1 },
  );
