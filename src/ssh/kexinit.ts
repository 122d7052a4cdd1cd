/** The first name-lists of SSH_MSG_KEXINIT, RFC 4253 §7.1: message number, 16 bytes of cookie, then kex_algorithms. */

import { WireReader } from './wire.ts';

const listOffset = 1 + 16;

/**
 * A copy of the client's KEXINIT with `name` replaced by `other`, if `name` is what the two sides agree on: the
 * client's first that is among `offered`. Undefined otherwise, and for what cannot be read.
 */
export function replaceChosenKex(
  kexinit: Buffer,
  offered: readonly string[],
  name: string,
  other: string,
): Buffer | undefined {
  if (kexinit.length < listOffset + 4) return undefined;
  const start = listOffset + 4;
  const end = start + kexinit.readUInt32BE(listOffset);
  if (end > kexinit.length) return undefined;
  const names = kexinit.toString('latin1', start, end).split(',');
  if (names.find((candidate) => offered.includes(candidate)) !== name) return undefined;
  const list = Buffer.from(
    names.map((candidate) => (candidate === name ? other : candidate)).join(','),
    'latin1',
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(list.length);
  return Buffer.concat([kexinit.subarray(0, listOffset), length, list, kexinit.subarray(end)]);
}

/** RFC 4253 §7: a guess is right where both sides like the same exchange, and the same host key, best. */
export function isRightGuess(
  kexinit: Buffer,
  offered: { readonly kex: readonly string[]; readonly serverHostKey: readonly string[] },
): boolean {
  const reader = new WireReader(kexinit, listOffset);
  const [kex, hostKey] = [reader.text(), reader.text()].map((list) => list.split(',')[0]);
  return kex === offered.kex[0] && hostKey === offered.serverHostKey[0];
}
