/** Connecting to a registered engine: by its socket, by TLS that proves both sides, or by way of a registered host. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { GatewayError, isGatewayError } from '../errors.ts';
import { dialHost } from '../hosts/dial-host.ts';
import { readHostTarget } from '../hosts/host-target.ts';
import type { EngineRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import type { HostEngine } from '../targets/host-engine.ts';
import { parseEngineUrl } from './engine-url.ts';
import { readTlsFiles, type TlsFiles } from './tls-files.ts';

export interface DialEngineDependencies {
  readonly store: Reader;
  readonly dataDir: string;
  readonly hostEngine: Pick<HostEngine, 'dialSocket'>;
  /** Until it answers at all, TLS and names included. */
  readonly withinMs: () => number;
}

export type DialEngine = (engine: EngineRow) => Promise<Duplex>;

/**
 * All of it is read anew at each connection. Throws engine-unavailable, whose sentence names no address: people read it who
 * may know none.
 */
export function createDialEngine(dependencies: DialEngineDependencies): DialEngine {
  const dial = createDial(dependencies);
  return (engine) =>
    dial(engine).catch((cause: Error) => {
      throw new GatewayError('engine-unavailable', { reason: reasonOf(cause) }, { cause });
    });
}

function createDial({ store, dataDir, hostEngine, withinMs }: DialEngineDependencies): DialEngine {
  return async ({ name, url, tls, ssh }) => {
    const place = parseEngineUrl(url);
    if (place.kind === 'unix') {
      if (ssh === undefined) return connectUnix(place.path);
      const host = await store.get('hosts', ssh);
      if (!host) throw new GatewayError('host-not-found', { host: name });
      return hostEngine.dialSocket(await readHostTarget(store, host), place.path);
    }
    const { hostname, port } = place;
    const files = tls === undefined ? undefined : await readTlsFiles(dataDir, tls);
    const socket = await dialHost({ hostname, port, mayBeInternal: true, withinMs: withinMs() });
    return files ? secured(socket, hostname, files, withinMs()) : socket;
  };
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ENOENT', 'its socket does not exist'],
  ['EACCES', 'permission denied on its socket'],
  ['ECONNRESET', 'it closed the connection'],
]);

/** OpenSSL's and Node's codes of certificates that were not believed. */
const distrust = /^(CERT_|ERR_TLS_CERT|DEPTH_|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO)/;

function reasonOf(cause: Error): string {
  if (isGatewayError(cause, 'host-unreachable')) return cause.params.reason;
  if (isGatewayError(cause, 'invalid-engine')) return 'the files of --tls cannot be used';
  if (isGatewayError(cause)) return 'the way through its host is closed';
  const { code = '' } = cause as NodeJS.ErrnoException;
  return distrust.test(code) ? `TLS: ${code}` : (reasons.get(code) ?? 'it does not answer');
}

function connectUnix(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      // Whoever is given it listens a little later.
      socket.off('error', reject).on('error', () => {});
      resolve(socket);
    });
  });
}

/**
 * RFC 8446, RFC 9525: nothing is sent before the certificate has proven to be of that name and of that authority. That is said here,
 * whatever NODE_TLS_REJECT_UNAUTHORIZED says.
 */
function secured(socket: Duplex, hostname: string, files: TlsFiles, withinMs: number): Promise<Duplex> {
  const { ca, cert, key } = files;
  return new Promise((resolve, reject) => {
    const secure = connectTls({
      socket,
      ...{ ca, cert, key },
      host: hostname,
      // RFC 6066 §3: no address is a server name.
      ...(/^[0-9.]+$|:/.test(hostname) ? {} : { servername: hostname }),
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    });
    const late = setTimeout(() => secure.destroy(new Error('no TLS in time')), withinMs);
    const fail = (error: Error) => {
      clearTimeout(late);
      socket.destroy();
      reject(error);
    };
    secure.once('error', fail);
    secure.once('close', () => clearTimeout(late));
    secure.once('secureConnect', () => {
      clearTimeout(late);
      secure.off('error', fail);
      // Whoever is given it listens a little later.
      secure.on('error', () => {});
      resolve(secure);
    });
  });
}
