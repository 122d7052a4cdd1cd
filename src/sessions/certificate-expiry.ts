/** A connection by certificate ends when the certificate does. */
import type { Identity } from '../auth/identity.ts';
import type { Clock } from '../platform/clock.ts';
import type { Connections, LiveConnection } from './connections.ts';

/** setTimeout takes no more than 2^31 - 1 ms. */
const longestWaitMs = 2_147_483_647;

/** Registers a connection as `connections.addConnection` does, and closes it when a certificate it stands on expires. */
export function addUntilExpiry(connections: Connections, clock: Clock) {
  return (connection: LiveConnection): (() => void) => {
    const unregister = connections.addConnection(connection);
    const expiresAtMs = Math.min(...expiriesOf(connection.identity));
    if (expiresAtMs === Number.POSITIVE_INFINITY) return unregister;
    let timer: NodeJS.Timeout;
    const wait = () => {
      const leftMs = expiresAtMs - clock.now();
      if (leftMs <= 0) {
        connections.closeConnection(connection, 'the certificate you are connected with has expired.');
      } else {
        timer = setTimeout(wait, Math.min(leftMs, longestWaitMs)).unref();
      }
    };
    wait();
    return () => {
      clearTimeout(timer);
      unregister();
    };
  };
}

function expiriesOf({ certificate, outer }: Identity): number[] {
  const own =
    certificate?.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(certificate.expiresAt);
  return [own, ...(outer ? expiriesOf(outer) : [])];
}
