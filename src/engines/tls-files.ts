/** What the gateway shows and asks of an engine over TLS: files that the operator put into a folder of DATA/identities. */
import { dirname, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { GatewayError } from '../errors.ts';
import { readFileOfOperator } from '../hosts/identity-files.ts';
import { excerpt } from '../platform/excerpt.ts';

export interface TlsFiles {
  /** Below DATA/identities. */
  readonly folder: string;
  /** Who must have signed the engine's certificate. */
  readonly ca: Buffer;
  /** The gateway's own certificate, and its key. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Reads `ca.pem`, `cert.pem` and `key.pem`, as `docker --tlsverify` names them, of a folder below DATA/identities. To be read
 * again at each use. Throws invalid-engine; what it says holds nothing of the files.
 */
export async function readTlsFiles(dataDir: string, folder: string): Promise<TlsFiles> {
  const read = async (name: string, secret: boolean) => {
    const path = join(folder, name);
    const wrong = (advice: string) =>
      new GatewayError('invalid-engine', { problem: `the file "${excerpt(path)}" of --tls ${advice}.` });
    const { path: below, content } = await readFileOfOperator(dataDir, path, { secret, wrong });
    if (!content?.includes('-----BEGIN ')) throw wrong('holds no PEM');
    return { below, content };
  };
  const [ca, cert, key] = await Promise.all([
    read('ca.pem', false),
    read('cert.pem', false),
    read('key.pem', true),
  ]);
  const files = { ca: ca.content, cert: cert.content, key: key.content };
  try {
    createSecureContext(files);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new GatewayError('invalid-engine', {
      problem: `the certificates and the key in "${excerpt(folder)}" cannot be used together (${code}).`,
    });
  }
  return { folder: dirname(key.below), ...files };
}
