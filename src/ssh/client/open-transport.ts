/** From a stream to a host that has proven its key and waits for a login: RFC 4253. */
import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';
import { ownEvents } from '../../platform/fault-owner.ts';
import { clientAlgorithms } from './client-algorithms.ts';
import { startClient } from './ssh2-client.ts';

export interface ClientTransport {
  readonly client: Connection;
  readonly stream: Duplex;
  /** Messages of RFC 4252 and EXT_INFO from now on, and at once the EXT_INFO that came before. */
  onLoginMessage(listener: (payload: Buffer) => void): void;
  /** Called once, when the transport has failed or was closed; at once where it was already. */
  onEnd(listener: (reason: string) => void): void;
  /** Ends it at once. */
  destroy(): void;
}

export interface TransportOptions {
  /** Which host keys the host may prove itself with, best first: `ssh-ed25519`, `ssh-rsa`, … */
  readonly hostKeyTypes: readonly string[];
  /** The blob of a key; false ends the attempt. */
  readonly isTrusted: (hostKey: Buffer) => boolean;
  /** Aborted when nobody waits any longer. */
  readonly signal: AbortSignal;
}

const extInfoMessage = 7;
const loginAccepted = 52;
/** A stranger's greeting, key exchange, banners and answers to a login are no longer than that together. */
const maxBytesOfLogin = 256 * 1024;

/**
 * Rejects with an Error of one line when the host is no SSH server, agrees to no algorithm, or is not trusted; with the
 * signal's reason when that aborts. The stream is destroyed then.
 */
export function openTransport(stream: Duplex, options: TransportOptions): Promise<ClientTransport> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    let ended: string | undefined;
    const endListeners: ((reason: string) => void)[] = [];
    const end = (reason: string) => {
      if (ended !== undefined) return;
      ended = reason;
      stream.destroy();
      reject(signal.aborted ? signal.reason : new Error(reason));
      for (const listener of endListeners) listener(reason);
    };
    const onAbort = () => end('given up');
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    // Others may come to share it with whoever opened it.
    ownEvents(stream, { end });
    // Before ssh2's own: it can write no more after either, and would throw.
    stream.once('end', () => end('the host closed the connection'));
    stream.once('close', () => end('the connection was lost'));
    stream.on('error', (error) => end(error.message));
    const client = startClient(stream, {
      algorithms: clientAlgorithms(options.hostKeyTypes),
      isTrusted: options.isTrusted,
      onLoginReady() {
        signal.removeEventListener('abort', onAbort);
        resolve(transport);
      },
      onLoginMessage(payload) {
        if (payload[0] === loginAccepted) stream.off('data', count);
        onMessage(payload);
      },
      onError: (error) => end(error.message),
    });
    // EXT_INFO comes right after the keys, RFC 8308 §2.4; nothing else may before a request of ours.
    let extInfo: Buffer | undefined;
    let onMessage = (payload: Buffer) => {
      if (payload[0] === extInfoMessage) extInfo = Buffer.from(payload);
    };
    let bytes = 0;
    // ssh2 reads a greeting without end, and banners of which nobody hears.
    const count = (data: Buffer) => {
      bytes += data.length;
      if (bytes > maxBytesOfLogin) end('it sent more than a login takes');
    };
    stream.on('data', count);
    const transport: ClientTransport = {
      client,
      stream,
      onLoginMessage(listener) {
        onMessage = listener;
        if (extInfo) listener(extInfo);
      },
      onEnd(listener) {
        if (ended === undefined) endListeners.push(listener);
        else listener(ended);
      },
      destroy: () => end('closed'),
    };
  });
}
