/** A private key file without passphrase, as ssh-keygen(1) writes it, for node:crypto. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { BlobReader } from './blob-reader.ts';
import type { PublicKey } from './key-types.ts';
import { parsePublicKeyBlob } from './parse-public-key.ts';
import { classifyPrivateKeyFile } from './private-key-file.ts';

export type SshPrivateKey =
  | { readonly type: 'ssh-ed25519'; readonly publicKey: PublicKey; readonly seed: Buffer }
  | { readonly type: 'ssh-rsa'; readonly publicKey: PublicKey; readonly key: KeyObject };

/** Throws usage for everything but an ed25519 or RSA key without passphrase; `encrypted` says what to do about one. */
export function readPrivateKey(text: string, encrypted: string): SshPrivateKey {
  const kind = classifyPrivateKeyFile(text);
  if (kind === 'encrypted') throw unusable(`has a passphrase; ${encrypted}`);
  if (kind !== 'usable') throw unusable('holds no private key of OpenSSH');
  try {
    const read = text.includes('OPENSSH') ? readOpenSsh(text) : readPem(text);
    if (read) return read;
  } catch (cause) {
    throw unusable('is damaged', cause);
  }
  throw unusable('is neither of type ed25519 nor RSA');
}

const unusable = (problem: string, cause?: unknown) =>
  new GatewayError('usage', { problem: `the identity file ${problem}.` }, { cause });

/** PROTOCOL.key of OpenSSH, of one key. */
function readOpenSsh(text: string): SshPrivateKey | undefined {
  const body = Buffer.from(text.replace(/-----[^\n]*-----/g, ''), 'base64');
  const reader = new BlobReader(body.subarray('openssh-key-v1\0'.length));
  // Cipher, its derivation and options: none.
  for (let field = 0; field < 3; field++) reader.bytes();
  reader.uint32();
  const publicKey = parsePublicKeyBlob(reader.bytes());
  const secret = new BlobReader(reader.bytes());
  const [check, again] = [secret.uint32(), secret.uint32()];
  if (check !== again) throw new Error('its check numbers differ');
  const type = secret.bytes().toString('latin1');
  if (type === 'ssh-ed25519') {
    secret.bytes();
    return { type, publicKey, seed: secret.bytes().subarray(0, 32) };
  }
  return type === 'ssh-rsa' ? { type, publicKey, key: readRsa(secret) } : undefined;
}

/** In the order of OpenSSH: n, e, d, 1/q mod p, p, q. */
function readRsa(secret: BlobReader): KeyObject {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => secret.positiveInteger()) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  const dp = remainder(d, p);
  const dq = remainder(d, q);
  const numbers = { n, e, d, p, q, dp, dq, qi };
  const jwk = Object.entries(numbers).map(([name, bytes]) => [name, bytes.toString('base64url')]);
  return createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries(jwk) }, format: 'jwk' });
}

/** RFC 8017 §3.2: d mod (p - 1). */
function remainder(d: Buffer, p: Buffer): Buffer {
  const number = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
  const text = (number(d) % (number(p) - 1n)).toString(16);
  return Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex');
}

function readPem(text: string): SshPrivateKey | undefined {
  const key = createPrivateKey(text);
  if (key.asymmetricKeyType !== 'rsa') return undefined;
  const { n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' });
  const blob = Buffer.concat([
    sshString(Buffer.from('ssh-rsa')),
    positiveInteger(Buffer.from(e, 'base64url')),
    positiveInteger(Buffer.from(n, 'base64url')),
  ]);
  return { type: 'ssh-rsa', publicKey: parsePublicKeyBlob(blob), key };
}

/** RFC 4251 §5. */
function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const positiveInteger = (bytes: Buffer) =>
  sshString((bytes[0] as number) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
