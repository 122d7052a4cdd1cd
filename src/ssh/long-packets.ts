/**
 * Commands of more than 34,000 bytes. ssh2 reads packets of up to 35,000 (RFC 4253 §6.1), sshd of up to 256 KiB, and what ssh2 takes is a
 * constant in its code: from that very code, with another number there, comes what reads for those who have logged in.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';

/** One of ssh2's deciphers. */
export interface Ssh2Decipher {
  _onPayload: (payload: Buffer) => unknown;
  /** Of the packet that comes next, RFC 4253 §6.4. */
  readonly inSeqno: number;
  /** Of the packet that is not whole yet, without its MAC: a part of what was read, or a copy, `_pktLen` bytes of which are there. */
  readonly _packet: Uint8Array | null;
  readonly _pktLen: number;
  readonly _len: number;
  decrypt(data: Buffer, from: number, length: number): unknown;
}

/** OpenSSH's PACKET_MAX_SIZE. */
const maxPacketBytes = 256 * 1024;
/** Of any message but what starts a session, or is a variable of one. */
const maxOtherBytes = 35_000;
const channelRequest = 98;

/** Of those whose code is native: the others begin more than they check where they check the length. */
const kinds = ['AESGCMDecipherBinding', 'ChaChaPolyDecipherBinding', 'GenericDecipherBinding'] as const;

const decryptOf = readAgain();

function readAgain(): ReadonlyMap<string, Ssh2Decipher['decrypt']> {
  const file = createRequire(import.meta.url).resolve('ssh2/lib/protocol/crypto.js');
  const [code = '', rest] = readFileSync(file, 'utf8').split('\nmodule.exports = {');
  const longer = code.replace('const MAX_PACKET_SIZE = 35000;', `const MAX_PACKET_SIZE = ${maxPacketBytes};`);
  if (rest === undefined || longer === code) throw new Error('the code of ssh2 is not as it was known');
  const run = compileFunction(`${longer}\nreturn { ${kinds.join(', ')} };`, ['require'], { filename: file });
  const made = run(createRequire(file)) as Record<string, { prototype: Ssh2Decipher }>;
  return new Map(kinds.map((kind) => [kind, (made[kind] as { prototype: Ssh2Decipher }).prototype.decrypt]));
}

/** From now on packets of up to 256 KiB are read. Whoever is given their messages wants `isTooLong` for them. */
export function readLongPackets(decipher: Ssh2Decipher): void {
  const decrypt = decryptOf.get(decipher.constructor.name);
  if (decrypt) decipher.decrypt = decrypt;
}

/** Whether it is more than a message of its kind may be. */
export const isTooLong = (payload: Buffer): boolean =>
  payload.length > maxOtherBytes && payload[0] !== channelRequest;
