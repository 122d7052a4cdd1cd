/**
 * The one file that touches ssh2's private fields. Each entry names the defect it works around; with a
 * fixed release the entry goes and its test stays. Checked against the versions named here.
 */
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';

const require = createRequire(import.meta.url);

interface Ssh2Protocol {
  channelData(channel: number, data: Buffer): void;
  channelExtData(channel: number, data: Buffer, type: number): void;
  _packetRW: {
    write: { allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  _kexinit: unknown;
  disconnect(reason: number): void;
}

type MessageHandler = (protocol: Ssh2Protocol, payload: Buffer) => unknown;

const protocolOf = (client: Connection): Ssh2Protocol =>
  (client as unknown as { _protocol: Ssh2Protocol })._protocol;

/** The socket, or channel, that a connection of ssh2's server runs over. */
export function transportOf(client: Connection): Duplex {
  return (client as unknown as { _sock: Duplex })._sock;
}

const knownVersions = new Set(['1.17.0']);

/** Throws a sentence when ssh2 is not a release this file was checked against. */
export function assertKnownSsh2(): void {
  const { version } = require('ssh2/package.json') as { version: string };
  if (!knownVersions.has(version)) {
    throw new Error(
      `ssh2 ${version} is not known to this version of Postern (known: ${[...knownVersions].join(', ')}); install the one in package-lock.json with "npm ci".`,
    );
  }
}

/** Whether ssh2's native cipher code was built; without it transfers are two to five times slower. */
export function hasNativeCrypto(): boolean {
  return (require('ssh2/lib/protocol/crypto.js') as { bindingAvailable: boolean }).bindingAvailable;
}

/** First and last message number of the connection protocol, RFC 4250 §4.1.2. */
const firstConnectionMessage = 80;
const lastConnectionMessage = 100;

const takenOver = new WeakMap<Ssh2Protocol, (payload: Buffer) => void>();

/**
 * ssh2's channel layer has no bounds and loses data (library-traps 2, 3, 4, 8, 9, 10, 11, 15), so
 * connections of ours get `connection-layer.ts` in its place: messages 80 to 100 of a connection that was
 * taken over go there, those of all others (ssh2's own client) to ssh2.
 */
function installMessageHandlers(): void {
  const handlers = require('ssh2/lib/protocol/handlers.js') as (MessageHandler | undefined)[];
  for (let type = firstConnectionMessage; type <= lastConnectionMessage; type++) {
    const original = handlers[type];
    handlers[type] = (protocol, payload) => {
      const own = takenOver.get(protocol);
      if (own) return own(payload);
      return original?.(protocol, payload);
    };
  }
}

installMessageHandlers();

/** From now on every connection-protocol message of `client` is given to `onMessage` and to nobody else. */
export function takeOverConnectionProtocol(client: Connection, onMessage: (payload: Buffer) => void): void {
  takenOver.set(protocolOf(client), onMessage);
}

const { sendPacket } = require('ssh2/lib/protocol/utils.js') as {
  sendPacket(protocol: Ssh2Protocol, packet: Buffer): void;
};

/** Sends one message; `payload` begins with its number. ssh2 queues it while keys are exchanged. */
export function sendPayload(client: Connection, payload: Buffer): void {
  const protocol = protocolOf(client);
  const writer = protocol._packetRW.write;
  const start = writer.allocStart;
  const packet = writer.alloc(payload.length);
  packet.set(payload, start);
  sendPacket(protocol, writer.finalize(packet));
}

/** SSH_MSG_CHANNEL_DATA without the copy that building a payload first would cost. */
export function sendChannelData(client: Connection, channel: number, data: Buffer): void {
  protocolOf(client).channelData(channel, data);
}

/** SSH_MSG_CHANNEL_EXTENDED_DATA of type 1, RFC 4254 §5.2. */
export function sendChannelStderr(client: Connection, channel: number, data: Buffer): void {
  protocolOf(client).channelExtData(channel, data, 1);
}

/** SSH_MSG_DISCONNECT, RFC 4253 §11.1; safe at any time, during a key exchange too. */
export function sendDisconnect(client: Connection, reason: number): void {
  protocolOf(client).disconnect(reason);
}

/** SSH_MSG_USERAUTH_BANNER, RFC 4252 §5.4. ssh2 offers one fixed text per server only (library-traps 20). */
export function sendBanner(client: Connection, text: string): void {
  const message = Buffer.from(text, 'utf8');
  const payload = Buffer.alloc(1 + 4 + message.length + 4);
  payload[0] = 53;
  payload.writeUInt32BE(message.length, 1);
  payload.set(message, 5);
  sendPayload(client, payload);
}
