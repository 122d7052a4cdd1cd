/**
 * ssh2's client, for transport alone: its login and its channels are replaced by ours. Beside `ssh2-internals.ts` this is
 * the file that touches its private fields.
 */

import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import ssh2, { type Connection } from 'ssh2';
import { createSideMap } from '../../platform/side-map.ts';
import { assertKnownSsh2 } from '../known-ssh2.ts';
import { sendPayload, takeOverConnectionProtocol, unimplementedBy } from '../ssh2-internals.ts';
import type { MessageHandler, Ssh2Protocol } from '../ssh2-shapes.ts';
import { stopAtEnd } from '../stop-at-end.ts';
import { isOfConnection } from '../unrecognised-messages.ts';

/** Name-lists of RFC 4253 §7.1, each for both directions. */
export interface ClientAlgorithms {
  readonly kex: readonly string[];
  readonly cipher: readonly string[];
  readonly hmac: readonly string[];
  readonly serverHostKey: readonly string[];
  readonly compress: readonly string[];
}

export interface ClientHooks {
  readonly algorithms: ClientAlgorithms;
  /** SSH_MSG_KEXINIT's key, before its signature is checked: a key that is not trusted ends the connection. */
  readonly isTrusted: (hostKey: Buffer) => boolean;
  /** Keys are exchanged, the host has proven its key, and takes login requests. */
  readonly onLoginReady: () => void;
  /** Messages of RFC 4252 (50 to 79) and EXT_INFO (7), from their number on. */
  readonly onLoginMessage: (payload: Buffer) => void;
  /** What ssh2 found wrong; more than one may come. */
  readonly onError: (error: Error) => void;
}

const require = createRequire(import.meta.url);
const handlers = require('ssh2/lib/protocol/handlers.js') as (MessageHandler | undefined)[];
const logins = createSideMap<Ssh2Protocol, (payload: Buffer) => void>('login');

const extInfo = 7;
const firstLoginMessage = 51;
const lastLoginMessage = 79;

for (const type of [extInfo, ...range(firstLoginMessage, lastLoginMessage)]) {
  const original = handlers[type];
  handlers[type] = (protocol, payload) => {
    const own = logins.get(protocol);
    // ssh2 takes what a handler returns for the place at which to read on.
    return own ? void own(payload) : original?.(protocol, payload);
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/**
 * Begins the client's side of a connection over `stream`, whose end and errors are the caller's to watch. What comes back
 * is used as a connection of our own server is: `sendPayload`, `ConnectionLayer`, `rekey`.
 */
export function startClient(stream: Duplex, hooks: ClientHooks): Connection {
  assertKnownSsh2();
  const client = new ssh2.Client();
  client.on('error', hooks.onError);
  client.connect({
    sock: stream as Parameters<typeof client.connect>[0]['sock'] & Duplex,
    username: 'nobody',
    ident: 'OpenSSH_Postern',
    readyTimeout: 0,
    keepaliveInterval: 0,
    algorithms: hooks.algorithms as NonNullable<Parameters<typeof client.connect>[0]['algorithms']>,
    hostVerifier: hooks.isTrusted,
    // Called when the service was accepted; undefined: we go on by ourselves.
    authHandler: () => hooks.onLoginReady() as undefined,
  });
  const protocol = (client as unknown as { _protocol: Ssh2Protocol & { rekey(): void } })._protocol;
  protocol._onPayload = stopAtEnd(protocol, protocol._onPayload);
  logins.set(protocol, hooks.onLoginMessage);
  const connection = client as unknown as Connection;
  takeOverConnectionProtocol(connection, ([type = 0]) => {
    if (isOfConnection(type)) throw new Error('a connection message before login');
    sendPayload(connection, unimplementedBy(connection));
  });
  // ssh2's server tells of new keys, its client of every handshake, and has no way to ask for one.
  let handshakes = 0;
  client.on('handshake', () => {
    if (handshakes++ > 0) client.emit('rekey');
  });
  return Object.assign(client, { rekey: () => protocol.rekey() }) as unknown as Connection;
}
