/** OpenSSH certificates made by the real ssh-keygen -s. */
import { copyFile, mkdtemp, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyPair, makeKeyPair, runProgram } from './ssh-client.ts';

export interface CertificateTerms {
  readonly principals: string;
  readonly keyId?: string;
  readonly serial?: string;
  /** As -V takes it; undefined: for ever. */
  readonly validity?: string;
  /** As -O takes them. */
  readonly options?: readonly string[];
  readonly host?: boolean;
  /** The CA's signature algorithm, as -t takes it. */
  readonly signedWith?: string;
}

/** `key` with a certificate beside it: the same private key in a folder of its own, so that it may have several. */
export async function certify(authority: KeyPair, key: KeyPair, terms: CertificateTerms): Promise<KeyPair> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-certificate-'));
  const file = join(folder, 'id');
  await copyFile(key.file, file);
  await copyFile(`${key.file}.pub`, `${file}.pub`);
  const made = await runProgram('ssh-keygen', [
    '-q',
    ...['-s', authority.file],
    ...['-I', terms.keyId ?? 'a key id'],
    ...(terms.principals === '' ? [] : ['-n', terms.principals]),
    ...(terms.serial === undefined ? [] : ['-z', terms.serial]),
    ...(terms.validity === undefined ? [] : ['-V', terms.validity]),
    ...(terms.options ?? []).flatMap((option) => ['-O', option]),
    ...(terms.host ? ['-h'] : []),
    ...(terms.signedWith === undefined ? [] : ['-t', terms.signedWith]),
    `${file}.pub`,
  ]);
  if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
  return { ...key, file };
}

/** The blob in the certificate beside a key. */
export async function certificateBlob({ file }: KeyPair): Promise<Buffer> {
  const line = await readFile(`${file}-cert.pub`, 'utf8');
  return Buffer.from(line.split(' ')[1] as string, 'base64');
}

/** A fresh key with a fresh certificate. */
export const makeCertificate = async (authority: KeyPair, terms: CertificateTerms): Promise<KeyPair> =>
  certify(authority, await makeKeyPair(), terms);

/** Puts a certificate, made for a copy of the key, beside the key itself. */
export async function placeBeside(certified: KeyPair, file: string): Promise<void> {
  await rename(`${certified.file}-cert.pub`, `${file}-cert.pub`);
}
