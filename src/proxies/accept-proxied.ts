/** Sockets of listed proxies, whose first bytes are a PROXY header; all others are left as they are. */
import type { Socket } from 'node:net';
import type { AddressBlocks } from '../config/address-blocks.ts';
import { type ConnectionEnds, ownEnds } from './connection-ends.ts';
import { parseProxyHeader } from './parse-proxy-header.ts';

export interface ProxiedAcceptance {
  /**
   * Calls `take` with both ends, as the client has them, when the header was read, and leaves what follows it in the
   * socket, which is paused then. From who is no listed proxy: at once. Without a whole header in time, never: the
   * socket is closed.
   */
  accept(socket: Socket, take: (ends: ConnectionEnds, isPaused: boolean) => void): void;
  /** Closes those whose header is still awaited. */
  close(): void;
}

/** A proxy writes it with its first packet. */
const usualTimeoutMs = 5_000;

export function createProxiedAcceptance(
  proxies: AddressBlocks,
  timeoutMs = usualTimeoutMs,
): ProxiedAcceptance {
  const waiting = new Set<Socket>();
  return {
    accept(socket, take) {
      const own = ownEnds(socket);
      if (!proxies.has(own.source.address)) return take(own, false);
      waiting.add(socket);
      socket.on('error', ignore);
      readHeader(socket, timeoutMs, (ends) => {
        socket.off('error', ignore);
        take(ends ?? own, true);
      });
      socket.once('close', () => waiting.delete(socket));
    },
    close() {
      for (const socket of waiting) socket.destroy();
    },
  };

  function readHeader(socket: Socket, withinMs: number, onHeader: (ends?: ConnectionEnds) => void): void {
    let bytes: Buffer = Buffer.alloc(0);
    const deadline = setTimeout(() => socket.destroy(), withinMs);
    const stop = () => {
      clearTimeout(deadline);
      socket.off('close', stop).off('data', onData);
    };
    const onData = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const header = parseProxyHeader(bytes);
      if (header.kind === 'incomplete') return;
      stop();
      if (header.kind === 'malformed') return void socket.destroy();
      waiting.delete(socket);
      socket.pause();
      if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
      onHeader(header.ends);
    };
    socket.on('close', stop).on('data', onData);
  }
}

const ignore = () => {};
