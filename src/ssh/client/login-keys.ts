/** What signs login requests: a private key of the gateway's, or an agent. RFC 4252 §7, RFC 8332. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import ssh2 from 'ssh2';
import { mpint, string, WireReader } from '../wire.ts';

/** A public key and whoever holds its private half. */
export interface SigningKey {
  readonly blob: Buffer;
  /** Its holder may ask a person at each signature: the server is asked first whether it takes the key. */
  readonly asksFirst: boolean;
  /** Resolves to the signature as RFC 4253 §6.6 has it: algorithm and value. */
  sign(data: Buffer, algorithm: string): Promise<Buffer>;
}

/** The algorithm to sign with, by the type of the key and what the server takes (RFC 8308 §3.1; unknown: undefined). */
export function signatureAlgorithm(blob: Buffer, accepted: readonly string[] | undefined): string {
  const type = new WireReader(blob).text();
  const [, certificate] = /^ssh-rsa(-cert-v01@openssh\.com)?$/.exec(type) ?? [undefined, undefined];
  if (!type.startsWith('ssh-rsa')) return type;
  // SHA-1 is never used.
  const hash = accepted && !accepted.includes('rsa-sha2-512') ? 'rsa-sha2-256' : 'rsa-sha2-512';
  return hash + (certificate ?? '');
}

/** Undefined when it is no private key that can be read without a passphrase. */
export function readSigningKey(privateKey: Buffer): SigningKey | undefined {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || !parsed.isPrivateKey()) return undefined;
  const key = createPrivateKey(parsed.getPrivatePEM());
  return {
    blob: parsed.getPublicSSH(),
    asksFirst: false,
    sign: async (data, algorithm) =>
      Buffer.concat([string(algorithm), string(signWith(key, algorithm, data))]),
  };
}

const hashes: ReadonlyMap<string, string> = new Map([
  ['rsa-sha2-256', 'sha256'],
  ['rsa-sha2-512', 'sha512'],
  ['ecdsa-sha2-nistp256', 'sha256'],
  ['ecdsa-sha2-nistp384', 'sha384'],
  ['ecdsa-sha2-nistp521', 'sha512'],
]);

function signWith(key: KeyObject, algorithm: string, data: Buffer): Buffer {
  if (!algorithm.startsWith('ecdsa-')) return sign(hashes.get(algorithm), data, key);
  const both = sign(hashes.get(algorithm), data, { key, dsaEncoding: 'ieee-p1363' });
  const half = both.length / 2;
  // RFC 5656 §3.1.2.
  return Buffer.concat([mpint(both.subarray(0, half)), mpint(both.subarray(half))]);
}
