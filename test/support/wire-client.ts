/** A client with real keys and no manners: transport and login are sound, and then it sends whatever it is given. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import type { Connection } from 'ssh2';
import ssh2 from 'ssh2';
import { clientAlgorithms } from '../../src/ssh/client/client-algorithms.ts';
import { startClient } from '../../src/ssh/client/ssh2-client.ts';
import { sendPayload, sessionIdOf, takeOverConnectionProtocol } from '../../src/ssh/ssh2-internals.ts';
import type { MessageHandler } from '../../src/ssh/ssh2-shapes.ts';
import { boolean, byte, string, WireReader } from '../../src/ssh/wire.ts';

export interface WireClient {
  readonly isOpen: () => boolean;
  readonly sessionId: Buffer;
  /** The gateway's numbers of the channels it has confirmed. */
  readonly channels: readonly number[];
  /** Of the packet that is sent next, RFC 4253 §6.4. */
  readonly nextSequenceNumber: () => number;
  /** Resolves when new keys are in use. */
  rekey(): Promise<void>;
  send(payload: Buffer): void;
  /** All in one piece of data. */
  sendTogether(payloads: readonly Buffer[]): void;
  /** Resolves when the gateway has taken all that was sent, or has ended it; false when neither came in time: by default soon. */
  taken(withinMs?: number): Promise<boolean>;
  close(): void;
}

export interface WireClientOptions {
  /** Logs in with it as `fuzz`. */
  readonly key?: WireKey | undefined;
  readonly cipher?: string;
  /** Messages of RFC 4252 and RFC 4254 that come, and SSH_MSG_UNIMPLEMENTED. */
  readonly onMessage?: (payload: Buffer) => void;
}

export interface WireKey {
  readonly blob: Buffer;
  readonly sign: (data: Buffer) => Buffer;
}

const pong = 193;
const ping = byte(192);
const openConfirmation = 91;
const loginSuccess = 52;
const takenWithinMs = 400;
const loginWithinMs = 10_000;

const require = createRequire(import.meta.url);
const handlers = require('ssh2/lib/protocol/handlers.js') as (MessageHandler | undefined)[];
const pongs = new WeakMap<object, () => void>();
handlers[pong] = (protocol) => void pongs.get(protocol)?.();
const unimplemented = 3;
const unimplementedTo = new WeakMap<object, (payload: Buffer) => void>();
const passOver = handlers[unimplemented] as MessageHandler;
handlers[unimplemented] = (protocol, payload) => {
  unimplementedTo.get(protocol)?.(payload);
  return passOver(protocol, payload);
};

export function readWireKey(file: string): WireKey {
  const parsed = ssh2.utils.parseKey(readFileSync(file)) as ssh2.ParsedKey;
  const privateKey: KeyObject = createPrivateKey(parsed.getPrivatePEM());
  const point = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    blob: Buffer.concat([string('ssh-ed25519'), string(point)]),
    sign: (data) => sign(null, data, privateKey),
  };
}

/** A signed request, RFC 4252 §7. */
export function signedRequest(sessionId: Buffer, user: string, key: WireKey): Buffer {
  const names = [string(user), string('ssh-connection'), string('publickey'), boolean(true)];
  const request = Buffer.concat([byte(50), ...names, string('ssh-ed25519'), string(key.blob)]);
  const signature = key.sign(Buffer.concat([string(sessionId), request]));
  return Buffer.concat([request, string(Buffer.concat([string('ssh-ed25519'), string(signature)]))]);
}

/** Keys are exchanged and the service for logins is accepted; with a key, it is logged in, too. */
export async function openWireClient(
  port: number,
  { key, cipher, onMessage = () => {} }: WireClientOptions = {},
): Promise<WireClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const channels: number[] = [];
  let onLogin: (number: number) => void = () => {};
  let connection: Connection | undefined;
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(loginWithinMs, () => socket.destroy());
    socket.once('close', () => reject(new Error('closed before the login')));
    connection = startClient(socket, {
      algorithms: {
        ...clientAlgorithms(['ssh-ed25519']),
        ...(cipher === undefined ? {} : { cipher: [cipher] }),
      },
      isTrusted: () => true,
      onLoginReady: resolve,
      onLoginMessage: (payload) => {
        onMessage(payload);
        onLogin(payload[0] as number);
      },
      onError: () => socket.destroy(),
    });
  });
  socket.setTimeout(0);
  const client = connection as Connection;
  unimplementedTo.set(protocolOf(client), onMessage);
  takeOverConnectionProtocol(client, (payload) => {
    onMessage(payload);
    if (payload[0] !== openConfirmation) return;
    const reader = new WireReader(payload, 1);
    reader.uint32();
    channels.push(reader.uint32());
  });
  if (key) {
    const isIn = new Promise<void>((resolve, reject) => {
      onLogin = (number) => (number === loginSuccess ? resolve() : reject(new Error('not let in')));
      socket.once('close', () => reject(new Error('closed at the login')));
    });
    sendPayload(client, signedRequest(sessionIdOf(client), 'fuzz', key));
    await isIn;
  }
  return clientOver(client, socket, channels);
}

const protocolOf = (client: Connection) =>
  (client as unknown as { _protocol: { _cipher: { outSeqno: number } } })._protocol;

function clientOver(client: Connection, socket: Socket, channels: readonly number[]): WireClient {
  const isOpen = () => !socket.destroyed && socket.writable;
  let onPong = () => {};
  pongs.set(protocolOf(client), () => onPong());
  return {
    isOpen,
    sessionId: sessionIdOf(client),
    channels,
    nextSequenceNumber: () => protocolOf(client)._cipher.outSeqno,
    rekey() {
      const renewed = new Promise<void>((resolve) => client.once('rekey', resolve));
      (client as Connection & { rekey(): void }).rekey();
      return renewed;
    },
    send(payload) {
      if (isOpen()) sendPayload(client, payload);
    },
    sendTogether(payloads) {
      socket.cork();
      for (const payload of payloads) if (isOpen()) sendPayload(client, payload);
      socket.uncork();
    },
    taken(withinMs = takenWithinMs) {
      if (!isOpen()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = (isTaken: boolean) => {
          clearTimeout(deadline);
          socket.off('close', onClose);
          onPong = () => {};
          resolve(isTaken);
        };
        const onClose = () => done(true);
        const deadline = setTimeout(() => done(false), withinMs);
        onPong = () => done(true);
        socket.once('close', onClose);
        sendPayload(client, Buffer.concat([ping, string('')]));
      });
    },
    close: () => socket.destroy(),
  };
}
