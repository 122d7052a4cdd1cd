/** A host key presented by the certificate beside it (`ssh_host_ed25519_key-cert.pub`), as sshd's HostCertificate. */
import { readFile } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import { MalformedBlob } from '../keys/blob-reader.ts';
import { type Certificate, isSignedByAuthority, parseCertificate } from '../keys/certificate.ts';

export interface HostCertificate {
  readonly blob: Buffer;
  /** Names of host key algorithms the certificate is offered under, best first. */
  readonly algorithms: readonly string[];
  /** `TYPE BASE64` of who signed it. */
  readonly authority: string;
}

/** Undefined when there is none. Throws a sentence for a file that is no sound certificate of this very key. */
export async function loadHostCertificate(
  file: string,
  keyBlob: Buffer,
): Promise<HostCertificate | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const blob = Buffer.from(text.trim().split(/\s+/)[1] ?? '', 'base64');
  const certificate = readCertificate(file, blob);
  if (certificate.kind !== 'host') throw unusable(file, 'it is for a user; make one with "ssh-keygen -h -s"');
  if (!certificate.key.blob.equals(keyBlob))
    throw unusable(file, 'it is for another key than the one beside it');
  if (!isSignedByAuthority(certificate)) throw unusable(file, 'its signature does not verify');
  return { blob, algorithms: algorithmsOf(certificate), authority: certificate.authority.line };
}

function readCertificate(file: string, blob: Buffer): Certificate {
  try {
    return parseCertificate(blob);
  } catch (error) {
    if (error instanceof MalformedBlob) throw unusable(file, error.message);
    throw error;
  }
}

const unusable = (file: string, problem: string) =>
  new Error(`the host certificate ${file} cannot be used: ${problem}. Replace it, or remove it.`);

const algorithmsOf = ({ type, key }: Certificate): readonly string[] =>
  key.type === 'ssh-rsa'
    ? ['rsa-sha2-512-cert-v01@openssh.com', 'rsa-sha2-256-cert-v01@openssh.com']
    : [type];

/** A host key of ssh2's that shows a certificate, and signs with the key under the plain algorithm's name. */
export interface CertifiedHostKey extends ParsedKey {
  readonly signsAs: string;
}

/** One for each algorithm: ssh2 files host keys by `type` and asks each for its public blob and for signatures. */
export function certifiedHostKeys(key: ParsedKey, { blob, algorithms }: HostCertificate): CertifiedHostKey[] {
  return algorithms.map((algorithm) => {
    const signsAs = algorithm.replace('-cert-v01@openssh.com', '');
    const [, hash] = /^rsa-sha2-(\d+)$/.exec(signsAs) ?? [];
    // What is not said here stays the key's own.
    return Object.create(key, {
      type: { value: algorithm },
      signsAs: { value: signsAs },
      getPublicSSH: { value: () => blob },
      sign: { value: (data: Buffer) => key.sign(data, hash === undefined ? undefined : `sha${hash}`) },
    }) as CertifiedHostKey;
  });
}

/**
 * ssh2 names its signature after the algorithm agreed on, and reads that right after it has had the exchange hash
 * signed. With a certificate it must be the plain key's name (PROTOCOL.certkeys), told to `onSign`.
 */
export function tellingPlainName<Key extends ParsedKey | CertifiedHostKey>(
  hostKeys: Readonly<Record<string, Key>>,
  onSign: (plainName: string) => void,
): Readonly<Record<string, Key>> {
  const telling = Object.entries(hostKeys).map(([name, key]) => {
    if (!('signsAs' in key)) return [name, key] as const;
    const sign = (data: Buffer) => {
      onSign(key.signsAs);
      return key.sign(data);
    };
    return [name, Object.create(key, { sign: { value: sign } }) as Key] as const;
  });
  return Object.fromEntries(telling);
}
