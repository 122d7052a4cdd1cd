/** The shapes of those private fields of ssh2 that `ssh2-internals.ts`, and nobody else, touches. */
import type { ParsedKey } from 'ssh2';
import type { CertifiedHostKey } from './host-certificates.ts';
import type { Ssh2Decipher } from './long-packets.ts';
import type { Ssh2Cipher } from './packet-padding.ts';
import type { SignedRequest } from './signed-request.ts';

/** ssh2's Protocol, one per connection. */
export interface Ssh2Protocol {
  parse(chunk: Buffer, from: number, length: number): void;
  channelData(channel: number, data: Buffer): void;
  channelExtData(channel: number, data: Buffer, type: number): void;
  _packetRW: {
    write: { allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  /** Our KEXINIT while keys are exchanged. */
  _kexinit: unknown;
  _kex?: Ssh2KeyExchange;
  /** The client has guessed the exchange, and sent its first packet. */
  _skipNextInboundPacket: boolean;
  _offer: { lists: Ssh2NameLists };
  _hostKeys: Readonly<Record<string, ParsedKey | CertifiedHostKey>>;
  _cipher: Ssh2Cipher;
  _decipher: Ssh2Decipher;
  _authsQueue: string[];
  _handlers: {
    USERAUTH_REQUEST(
      protocol: Ssh2Protocol,
      user: string,
      service: string,
      method: string,
      data: SignedRequest['data'],
    ): void;
  };
  authFailure(...args: unknown[]): void;
  authPKOK(...args: unknown[]): void;
  authInfoReq(...args: unknown[]): void;
  authSuccess(...args: unknown[]): void;
  _onHandshakeComplete: (...args: unknown[]) => void;
  /** What each new cipher calls. */
  _onPayload: (payload: Buffer) => unknown;
  /** Undefined once the connection has ended and its ciphers are freed. */
  _destruct?: unknown;
  disconnect(reason: number): void;
}

/** Name-lists of a KEXINIT, as ssh2 keeps its own. */
export interface Ssh2NameLists {
  kex: { array: string[] };
  serverHostKey: { array: string[] };
  cs: Record<'cipher' | 'mac' | 'compress' | 'lang', { array: string[] }>;
}

/** ssh2's KeyExchange, one per exchange. */
export interface Ssh2KeyExchange {
  readonly sessionID: Buffer;
  negotiated: { kex: string; serverHostKey: string };
  remoteExtInfoEnabled: boolean;
  _remoteKexinit: Buffer;
  computeSecret(theirs: Buffer): Buffer | Error;
  getPublicKey(): Buffer;
  convertPublicKey(key: Buffer): Buffer;
}

/** What ssh2 does with a message, by its number. */
export type MessageHandler = (protocol: Ssh2Protocol, payload: Buffer) => unknown;
