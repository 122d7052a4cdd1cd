/** What the door's peers send and do, seen from inside ssh2; for tests that must know that it came. */
import { createRequire } from 'node:module';
import ssh2, { type Connection } from 'ssh2';
// Ours replaces handlers too, and must be first.
import '../../src/ssh/ssh2-internals.ts';

const require = createRequire(import.meta.url);

type Handler = (protocol: unknown, payload: Buffer) => unknown;

export interface MessageTap {
  /** Messages of this number so far, by all clients; not those of key exchanges. */
  readonly received: (number: number) => number;
  /** Key exchanges after the first of a connection that have been completed. */
  readonly rekeys: () => number;
  /** Begins a key exchange from our side on every connection that is there. */
  readonly rekeyAll: () => void;
}

/** Installed for the life of this process. */
export function tapMessages(): MessageTap {
  const handlers = require('ssh2/lib/protocol/handlers.js') as (Handler | undefined)[];
  const received = new Map<number, number>();
  for (const [number, handle] of handlers.entries()) {
    if (!handle) continue;
    handlers[number] = (protocol, payload) => {
      received.set(number, (received.get(number) ?? 0) + 1);
      return handle(protocol, payload);
    };
  }
  const connections = new Set<Connection>();
  let rekeys = 0;
  const { emit } = ssh2.Server.prototype;
  ssh2.Server.prototype.emit = function emitTapped(this: ssh2.Server, event: string, ...args: unknown[]) {
    if (event === 'connection') {
      const client = args[0] as Connection;
      connections.add(client);
      client.on('rekey', () => rekeys++);
      client.on('close', () => connections.delete(client));
    }
    return Reflect.apply(emit, this, [event, ...args]);
  } as typeof emit;
  return {
    received: (number) => received.get(number) ?? 0,
    rekeys: () => rekeys,
    rekeyAll: () => {
      for (const client of connections) client.rekey();
    },
  };
}
