/** Sockets of listed proxies, whose first bytes are a PROXY header; all others are left as they are. */
import type { Socket } from 'node:net';
import type { AddressBlocks } from '../config/address-blocks.ts';
import { type ConnectionEnds, ownEnds } from './connection-ends.ts';
import { parseProxyHeader } from './parse-proxy-header.ts';

export interface ProxiedAcceptance {
  /**
   * Calls `take` with both ends, as the client has them, when the header was read, in the same tick, and with what came
   * behind it; the socket is paused then. From who is no listed proxy: at once, without a byte. Without a whole header in
   * time, never: the socket is closed.
   */
  accept(socket: Socket, take: (ends: ConnectionEnds, head: Buffer) => void): void;
  /** Resolves when no header is awaited any more: each has come, or its socket was closed, `withinMs` from now at the latest. */
  settle(withinMs: number): Promise<void>;
  /** Closes those whose header is still awaited. */
  close(): void;
}

/** Nothing was read behind a header, or there was none. */
const noHead = Buffer.alloc(0);

/** A proxy writes it with its first packet. */
const usualTimeoutMs = 5_000;

export function createProxiedAcceptance(
  proxies: AddressBlocks,
  timeoutMs = usualTimeoutMs,
): ProxiedAcceptance {
  const waiting = new Set<Socket>();
  let onSettled = () => {};
  const waitsNoMore = (socket: Socket) => {
    waiting.delete(socket);
    if (waiting.size === 0) onSettled();
  };
  return {
    accept(socket, take) {
      const own = ownEnds(socket);
      if (!proxies.has(own.source.address)) return take(own, noHead);
      waiting.add(socket);
      socket.on('error', ignore);
      readHeader(socket, timeoutMs, (head, ends) => {
        socket.off('error', ignore);
        take(ends ?? own, head);
      });
      socket.once('close', () => waitsNoMore(socket));
    },
    async settle(withinMs) {
      if (waiting.size === 0) return;
      const timer = setTimeout(close, withinMs);
      await new Promise<void>((resolve) => {
        onSettled = resolve;
      });
      clearTimeout(timer);
    },
    close,
  };

  function close(): void {
    for (const socket of waiting) socket.destroy();
  }

  function readHeader(
    socket: Socket,
    withinMs: number,
    onHeader: (head: Buffer, ends?: ConnectionEnds) => void,
  ): void {
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
      socket.pause();
      onHeader(bytes.subarray(header.length), header.ends);
      waitsNoMore(socket);
    };
    socket.on('close', stop).on('data', onData).resume();
  }
}

const ignore = () => {};
