/** What the door's peers send and do, seen from inside ssh2; for tests that must know that it came. */
import { createRequire } from 'node:module';
import ssh2, { type Connection } from 'ssh2';
// Ours replaces handlers too, and must be first.
import '../../src/ssh/ssh2-internals.ts';

const require = createRequire(import.meta.url);

type Handler = (protocol: unknown, payload: Buffer) => unknown;

export interface ReceivedMessage {
  readonly number: number;
  readonly atMs: number;
}

export interface MessageTap {
  /** Messages so far, by all clients; not those of key exchanges. */
  readonly received: () => readonly ReceivedMessage[];
  /** Forgets what was received. */
  readonly clear: () => void;
  /** Key exchanges after the first of a connection that have been completed. */
  readonly rekeys: () => number;
  /** Begins a key exchange from our side on every connection that is logged in. */
  readonly rekeyAll: () => void;
}

const channelData = 94;

/** Installed for the life of this process. */
export function tapMessages(): MessageTap {
  const handlers = require('ssh2/lib/protocol/handlers.js') as (Handler | undefined)[];
  let received: ReceivedMessage[] = [];
  for (const [number, handle] of handlers.entries()) {
    if (!handle) continue;
    handlers[number] = (protocol, payload) => {
      // Data comes by the thousand, and nobody asks for it.
      if (number !== channelData) received.push({ number, atMs: performance.now() });
      return handle(protocol, payload);
    };
  }
  const connections = new Set<Connection>();
  let rekeys = 0;
  const { emit } = ssh2.Server.prototype;
  ssh2.Server.prototype.emit = function emitTapped(this: ssh2.Server, event: string, ...args: unknown[]) {
    if (event === 'connection') {
      const client = args[0] as Connection;
      client.on('ready', () => connections.add(client));
      client.on('rekey', () => rekeys++);
      client.on('close', () => connections.delete(client));
    }
    return Reflect.apply(emit, this, [event, ...args]);
  } as typeof emit;
  return {
    received: () => received,
    clear: () => {
      received = [];
    },
    rekeys: () => rekeys,
    rekeyAll: () => {
      for (const client of connections) client.rekey();
    },
  };
}
