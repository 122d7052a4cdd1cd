/** The listener's certificate and key, read again when their files change. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Certificates are renewed weeks ahead; by asking, links that are swapped under us are seen too. */
const pollIntervalMs = 1_000;

/** Throws invalid-config when they cannot be used together. */
export function readTls({ certFile, keyFile }: TlsFiles): { readonly cert: Buffer; readonly key: Buffer } {
  try {
    const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    const problem = `the certificate ${certFile} and the key ${keyFile} cannot be used: ${(cause as Error).message}.`;
    throw new GatewayError('invalid-config', { problem }, { cause });
  }
}

/** New connections get the new certificate; files that do not fit together leave the old one in use. */
export function watchTls(server: Server, files: TlsFiles, log: Logger): () => void {
  const reload = () => {
    try {
      server.setSecureContext(readTls(files));
      log.info('the TLS certificate was loaded anew');
    } catch (error) {
      log.error(`${(error as Error).message} The certificate loaded before stays in use.`);
    }
  };
  const paths = [files.certFile, files.keyFile];
  for (const path of paths) watchFile(path, { interval: pollIntervalMs, persistent: false }, reload);
  return () => {
    for (const path of paths) unwatchFile(path, reload);
  };
}
