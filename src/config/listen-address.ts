/** Where a door listens: `HOST:PORT`, and what can be wrong with it. */
import { isIPv4 } from 'node:net';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, the host of IPv6 in brackets. */
export function parseListenAddress(listen: string): ListenAddress {
  const colon = listen.lastIndexOf(':');
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(listen.slice(colon + 1)) };
}

/** Only programs of this machine can connect there. */
export function isLoopback({ host }: ListenAddress): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The sentence for a port that cannot be had; `flag` is where another one is chosen. */
export function listenError(listen: string, flag: string, error: NodeJS.ErrnoException): Error {
  const causes: Record<string, string> = {
    EADDRINUSE: `${listen} is in use by another program; stop it, or choose another address with ${flag} HOST:PORT.`,
    EACCES: `this user may not listen on ${listen}; choose a port above 1023 with ${flag} HOST:PORT.`,
    ENOTFOUND: `${listen} has a host name that cannot be looked up; choose an address of this machine with ${flag} HOST:PORT.`,
    EADDRNOTAVAIL: `${listen} is not an address of this machine; choose another with ${flag} HOST:PORT.`,
  };
  return new Error(causes[error.code ?? ''] ?? `cannot listen on ${listen}: ${error.message}`, {
    cause: error,
  });
}
