/**
 * The one file that touches ssh2's private fields. Each entry names the defect it works around; with a
 * fixed release the entry goes and its test stays. Checked against the versions named here.
 */

import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';
import { createSideMap } from '../platform/side-map.ts';
import type { Offer } from './algorithms.ts';
import { leavePool } from './buffer-pool.ts';
import { tellingPlainName } from './host-certificates.ts';
import { hybridKexName } from './hybrid-key-exchange.ts';
import { joinAnswers, joinTick } from './join-answers.ts';
import { kexinitOffer } from './kexinit-offers.ts';
import { LoginRequests } from './login-requests.ts';
import { isTooLong, readLongPackets, type Ssh2Decipher } from './long-packets.ts';
import { forgetSecrets, withOwnKex } from './own-key-exchange.ts';
import { padFromStock } from './packet-padding.ts';
import { tolerateDuringRekey } from './rekey-tolerance.ts';
import { parseSignedRequest } from './signed-request.ts';
import type { MessageHandler, Ssh2Protocol } from './ssh2-shapes.ts';
import { nowhere, stopAtEnd } from './stop-at-end.ts';
import { isOfConnection, isUnasked, mayAnswerBeforeLogin, unimplemented } from './unrecognised-messages.ts';
import { byte, MalformedMessage, string, uint32 } from './wire.ts';

const require = createRequire(import.meta.url);

const protocolOf = (client: Connection): Ssh2Protocol =>
  (client as unknown as { _protocol: Ssh2Protocol })._protocol;

/** The socket, or channel, that a connection of ssh2's server runs over. */
export function transportOf(client: Connection): Duplex {
  return (client as unknown as { _sock: Duplex })._sock;
}

const handlers = require('ssh2/lib/protocol/handlers.js') as (MessageHandler | undefined)[];

const disconnectMessage = 1;
const kexinitMessage = 20;
/** RFC 4250 §4.1.1. */
const isOfKeyExchange = ([type = 0]: Buffer) => type >= 21 && type <= 49;
const userauthRequest = 50;
/** OpenSSH's PROTOCOL 1.9. */
const pingMessage = 192;

const { sendPacket, doFatalError } = require('ssh2/lib/protocol/utils.js') as {
  sendPacket(protocol: Ssh2Protocol, packet: Buffer): void;
  doFatalError(protocol: Ssh2Protocol, message: string): void;
};

const takenOver = createSideMap<Ssh2Protocol, (payload: Buffer) => void>('taken over');
/** Connections of our own server, by what they run over; ssh2's client is left as it is. */
const served = createSideMap<Ssh2Protocol, Duplex>('served');
const loginRequests = createSideMap<Ssh2Protocol, LoginRequests>('login requests');
const handleUserauth = handlers[userauthRequest] as MessageHandler;

/**
 * ssh2's channel layer has no bounds and loses data (library-traps 2, 3, 4, 8, 9, 10, 11, 15), so
 * connections of ours get `connection-layer.ts` in its place: messages 80 to 100 of a connection that was
 * taken over go there, and those that ssh2 does not know; those of all others (ssh2's own client) to ssh2.
 */
function installMessageHandlers(): void {
  for (const [type, original] of Array.from(handlers).entries()) {
    handlers[type] = (protocol, payload) => {
      const isServed = served.has(protocol);
      const isLeftToSsh2 = !isOfConnection(type) && !(isServed && isUnasked(protocol, type));
      if (original && isLeftToSsh2) return original(protocol, payload);
      const own = takenOver.get(protocol);
      if (own) return own(payload);
      if (!isServed) return original?.(protocol, payload);
      // Before login; ssh2 would answer each, and a peer that reads none of it would fill our memory.
      if (isOfConnection(type)) return doFatalError(protocol, 'Inbound: connection message before login');
      if (mayAnswerBeforeLogin(protocol)) return send(protocol, unimplemented(protocol));
      return doFatalError(protocol, 'Inbound: too many unrecognised messages');
    };
  }
  const handleDisconnect = handlers[disconnectMessage] as MessageHandler;
  // RFC 4253 §11.1: whatever comes behind it is not taken; ssh2 takes it until the peer has closed its side, too.
  handlers[disconnectMessage] = (protocol, payload) => {
    const readOn = handleDisconnect(protocol, payload);
    const transport = served.get(protocol);
    if (!transport) return readOn;
    transport.removeAllListeners('data').destroy();
    return nowhere;
  };
  const handleKexinit = handlers[kexinitMessage] as MessageHandler;
  // Reached for rekeys only: the first KEXINIT comes in by the decipher that `prepareTransport` wraps.
  handlers[kexinitMessage] = (protocol, payload) => {
    const isServed = served.has(protocol);
    const result = isServed
      ? withOwnKex(protocol, payload, (shown) => handleKexinit(protocol, shown))
      : handleKexinit(protocol, payload);
    // A new one for each exchange, in place until the peer's NEWKEYS.
    const { _decipher: decipher } = protocol;
    const onPayload = stopAtEnd(protocol, decipher._onPayload);
    decipher._onPayload = isServed ? tolerateDuringRekey(onPayload, takenOver.get(protocol)) : onPayload;
    return result;
  };
  handlers[userauthRequest] = (protocol, payload) => {
    const requests = loginRequests.get(protocol);
    // ssh2 takes what a handler returns for the place at which to read on.
    return requests ? void requests.take(payload) : handleUserauth(protocol, payload);
  };
  handlers[pingMessage] = answerPing;
}

installMessageHandlers();

/** Every answer that ssh2 gives to a login request lets the next one in. */
function queueLoginRequests(client: Connection, protocol: Ssh2Protocol): void {
  const requests = new LoginRequests(
    (payload) => {
      // One that waited while the connection ended.
      if (protocol._destruct === undefined) return;
      try {
        if (!handOverSignature(protocol, payload)) handleUserauth(protocol, payload);
      } catch (error) {
        // One that waited is not handled under ssh2's own eyes.
        client.emit('error', error as Error);
      }
    },
    () => doFatalError(protocol, 'Inbound: too many login requests at once'),
  );
  loginRequests.set(protocol, requests);
  for (const name of ['authFailure', 'authPKOK', 'authInfoReq', 'authSuccess'] as const) {
    const answer = protocol[name];
    protocol[name] = (...args) => {
      // With what follows a success in the same tick, in one write.
      if (name === 'authSuccess') joinTick(transportOf(client));
      answer.apply(protocol, args);
      if (name === 'authSuccess') requests.end();
      else requests.answered();
    };
  }
}

/** Does for a signed request what ssh2 does, but for its signature; false for any other request. */
function handOverSignature(protocol: Ssh2Protocol, payload: Buffer): boolean {
  try {
    const sessionId = protocol._kex?.sessionID;
    const request = sessionId && parseSignedRequest(payload, sessionId);
    if (!request) return false;
    protocol._authsQueue.push('publickey');
    const { user, service, data } = request;
    protocol._handlers.USERAUTH_REQUEST(protocol, user, service, 'publickey', data);
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    doFatalError(protocol, 'Inbound: Malformed USERAUTH_REQUEST packet');
  }
  return true;
}

/**
 * Readies a connection of our server, in the tick in which ssh2 announces it: post-quantum key exchange
 * (library-traps 17) and an EXT_INFO of ours in place of ssh2's, which is wrong (library-traps 14).
 */
export function prepareTransport(client: Connection, extInfo: Buffer): void {
  const protocol = protocolOf(client);
  served.set(protocol, transportOf(client));
  padFromStock(protocol._cipher);
  joinAnswers(protocol, transportOf(client), () => takenOver.has(protocol));
  queueLoginRequests(client, protocol);
  protocol._hostKeys = tellingPlainName(protocol._hostKeys, (name) => {
    if (protocol._kex) protocol._kex.negotiated.serverHostKey = name;
  });
  const decipher = protocol._decipher;
  const onPayload = stopAtEnd(protocol, decipher._onPayload);
  decipher._onPayload = (payload) => {
    if (payload[0] === kexinitMessage) return withOwnKex(protocol, payload, onPayload);
    if (protocol._kex || !isOfKeyExchange(payload)) return onPayload(payload);
    // ssh2 would look for the exchange that it belongs to.
    return doFatalError(protocol, 'Inbound: key exchange before KEXINIT');
  };
  protocol._onPayload = stopAtEnd(protocol, protocol._onPayload);
  const onHandshakeComplete = protocol._onHandshakeComplete;
  let isFirst = true;
  protocol._onHandshakeComplete = (...args) => {
    const wantsExtInfo = isFirst && protocol._kex?.remoteExtInfoEnabled === true;
    isFirst = false;
    if (protocol._kex) protocol._kex.remoteExtInfoEnabled = false;
    if (protocol._kex) forgetSecrets(protocol._kex);
    for (const holder of [protocol, protocol._decipher]) leavePool(holder);
    padFromStock(protocol._cipher);
    if (takenOver.has(protocol)) readLongPackets(protocol._decipher);
    onHandshakeComplete(...args);
    // RFC 8308 §2.4: the very next packet after our first NEWKEYS.
    if (wantsExtInfo) sendPayload(client, extInfo);
  };
}

/**
 * Changes what one connection's KEXINIT names, in the tick in which ssh2 announces it. ssh2 has one list
 * for all clients, and puts SHA-1 signatures of an RSA host key into it unasked (library-traps 14).
 */
export function replaceOffer(client: Connection, replace: (offer: Offer) => Offer): void {
  const protocol = protocolOf(client);
  const { kex, serverHostKey, cs } = protocol._offer.lists;
  const offer = replace({ kex: kex.array, serverHostKey: serverHostKey.array, mac: cs.mac.array });
  const both = { cipher: cs.cipher.array, mac: offer.mac, compress: cs.compress.array, lang: cs.lang.array };
  const lists = { ...offer, cs: both, sc: both };
  protocol._offer = kexinitOffer(lists);
}

// ssh2 refuses to offer what is not in this list of its.
(require('ssh2/lib/protocol/constants.js') as { SUPPORTED_KEX: string[] }).SUPPORTED_KEX.push(hybridKexName);

/** Above this much unsent output a ping stays unanswered: its sender does not read the answers. */
const maxUnsentForPong = 1024 * 1024;

function answerPing(protocol: Ssh2Protocol, payload: Buffer): void {
  const transport = served.get(protocol);
  if (!transport || transport.writableLength > maxUnsentForPong) return;
  // While the peer owes us its part of a key exchange, answers would lie in ssh2's queue, which has no bound.
  if (protocol._kexinit !== undefined) return;
  send(protocol, Buffer.concat([Buffer.from([pingMessage + 1]), payload.subarray(1)]));
}

/** Whether what is sent now waits in ssh2's queue, which has no bound, until the peer has done its part. */
export function isExchangingKeys(client: Connection): boolean {
  return protocolOf(client)._kexinit !== undefined;
}

/** What reads the peer's packets now; another after each key exchange. */
export const decipherOf = (client: Connection): Ssh2Decipher => protocolOf(client)._decipher;

/** The exchange hash of the first key exchange, RFC 4253 §7.2. */
export function sessionIdOf(client: Connection): Buffer {
  return protocolOf(client)._kex?.sessionID ?? Buffer.alloc(0);
}

/** The host key algorithm that was agreed on. */
export function hostKeyAlgorithmOf(client: Connection): string {
  return protocolOf(client)._kex?.negotiated.serverHostKey ?? '';
}

/** SSH_MSG_UNIMPLEMENTED for the message that is being handled, RFC 4253 §11.4. */
export const unimplementedBy = (client: Connection): Buffer => unimplemented(protocolOf(client));

/** From now on every connection-protocol message of `client`, and every one that nobody else takes, is given to `onMessage`. */
export function takeOverConnectionProtocol(client: Connection, onMessage: (payload: Buffer) => void): void {
  const protocol = protocolOf(client);
  takenOver.set(protocol, (payload) => {
    if (isTooLong(payload)) return doFatalError(protocol, 'Bad packet length');
    return onMessage(payload);
  });
  if (served.has(protocol)) readLongPackets(protocol._decipher);
}

/** Sends one message; `payload` begins with its number. ssh2 queues it while keys are exchanged. */
export function sendPayload(client: Connection, payload: Buffer): void {
  send(protocolOf(client), payload);
}

function send(protocol: Ssh2Protocol, payload: Buffer): void {
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
export function sendDisconnect(client: Connection, reason: number, description: string): void {
  const protocol = protocolOf(client);
  // While keys are exchanged only ssh2's own way gets past its queue, without words.
  if (protocol._kexinit !== undefined) return protocol.disconnect(reason);
  send(protocol, Buffer.concat([byte(1), uint32(reason), string(description), string('')]));
}
