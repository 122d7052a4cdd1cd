/** Keys made by the real ssh-keygen, and blobs put together by hand. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const acceptedKinds: readonly (readonly [type: string, bits: string])[] = [
  ['ed25519', '256'],
  ['ecdsa', '256'],
  ['ecdsa', '384'],
  ['ecdsa', '521'],
  ['rsa', '2048'],
  ['rsa', '3072'],
];

export interface GeneratedKey {
  readonly file: string;
  readonly line: string;
}

export async function generateKey(type: string, bits: string, comment = 'a comment'): Promise<GeneratedKey> {
  const file = join(mkdtempSync(join(tmpdir(), 'postern-key-')), 'id');
  await run('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-C', comment, '-f', file]);
  return { file, line: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

/** What a program of OpenSSH's (or PuTTY's) prints. */
export async function output(program: string, args: readonly string[]): Promise<string> {
  return (await run(program, [...args])).stdout;
}

/** `string` of RFC 4251 §5. */
export function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** `mpint` of RFC 4251 §5. */
export function mpint(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  const trimmed = first < 0 ? Buffer.alloc(0) : number.subarray(first);
  return field((trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), trimmed]) : trimmed);
}

export const blobOf = (line: string): Buffer => Buffer.from(line.split(' ')[1] as string, 'base64');

export const lineOf = (type: string, blob: Buffer): string => `${type} ${blob.toString('base64')}`;

/** A fresh valid ed25519 key, without a comment. */
export function quickKey(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return lineOf('ssh-ed25519', Buffer.concat([field('ssh-ed25519'), field(point)]));
}
