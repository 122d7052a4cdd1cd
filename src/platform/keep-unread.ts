/** Sockets that another process is to take over. */
import type { Socket } from 'node:net';

/**
 * Nothing more is read of it here, whatever was read before: such bytes would be lost. `pause` alone reads on until a buffer
 * is full, and so does a socket that waits in the queue of `send` behind another, or for a worker. It cannot be read here again.
 */
export function keepUnread(socket: Socket): void {
  socket.pause();
  const { _handle: handle } = socket as unknown as { readonly _handle: Handle | null };
  if (!handle) return;
  handle.readStop();
  // Or the stream, which tops its buffer up in the next tick, would begin to read again.
  handle.reading = true;
}

/** Node's own, of a TCP socket. */
interface Handle {
  reading: boolean;
  readStop(): void;
}
