/** Where the engine listens: the address as people write it, and as a client needs it. */
import type { Duplex } from 'node:stream';
import { GatewayError } from '../../errors.ts';

export type EngineAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** Wherever that connects to. */
  | { readonly kind: 'dialled'; readonly dial: () => Promise<Duplex> }
  /** The client library reads DOCKER_HOST and the DOCKER_TLS variables by itself. */
  | { readonly kind: 'environment' };

const usualSocket = '/var/run/docker.sock';

/**
 * Reads `unix:///path` or `tcp://host:port`; undefined means DOCKER_HOST, else the usual socket.
 * Throws `invalid-config`.
 */
export function parseEngineAddress(text: string | undefined, dockerHost?: string | undefined): EngineAddress {
  if (text === undefined) return dockerHost ? { kind: 'environment' } : { kind: 'unix', path: usualSocket };
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length);
    if (path.startsWith('/')) return { kind: 'unix', path };
  }
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^/:\s]+):(\d{1,5})\/?$/.exec(text);
  if (tcp) return { kind: 'tcp', host: tcp[1]!.replace(/^\[|\]$/g, ''), port: Number(tcp[2]) };
  throw new GatewayError('invalid-config', {
    problem: `"${text}" is no address of a Docker Engine; write unix:///path or tcp://host:port.`,
  });
}
