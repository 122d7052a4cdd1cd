/** A connection ends when the key, the certificate or the token does that it came in by. */
import type { Identity } from '../auth/identity.ts';
import type { Clock } from '../platform/clock.ts';
import type { Connections, LiveConnection } from './connections.ts';

/** Timers know nothing of a clock that is set: it is looked at again. */
const longestWaitMs = 60_000;

/** Registers a connection as `connections.addConnection` does, and closes it when what it stands on expires. */
export function addUntilExpiry(connections: Connections, clock: Clock) {
  return (connection: LiveConnection): (() => void) => {
    const unregister = connections.addConnection(connection);
    const [first] = expiriesOf(connection.identity).toSorted((a, b) => a.atMs - b.atMs);
    if (first === undefined) return unregister;
    let timer: NodeJS.Timeout;
    const wait = () => {
      const leftMs = first.atMs - clock.now();
      if (leftMs <= 0) {
        connections.closeConnection(connection, `the ${first.what} you are connected with has expired.`);
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

interface Expiry {
  readonly what: string;
  readonly atMs: number;
}

function expiriesOf({ keyExpiresAt, certificate, token, outer }: Identity): readonly Expiry[] {
  const tokenEnd = token?.until ?? token?.exp;
  const at = (what: string, time: string | undefined) =>
    time === undefined ? [] : [{ what, atMs: Date.parse(time) }];
  return [
    ...at('key', keyExpiresAt),
    ...at('certificate', certificate?.expiresAt),
    ...(tokenEnd === undefined ? [] : [{ what: 'token', atMs: tokenEnd * 1000 }]),
    ...(outer ? expiriesOf(outer) : []),
  ];
}
