import type { Socket } from 'node:net';
import { lentReads, readAnew } from '../platform/lent-reads.ts';

/** Each read costs a way through all layers, and the packet at its end is copied. */
const readBytes = 128 * 1024;

/** The same socket of a client, of which nothing was read yet, with what it brings in memory that is used again. */
export function readClient(accepted: Socket): Socket {
  const onread = lentReads(() => socket, { mostBytes: readBytes });
  const socket: Socket = readAnew(accepted, onread) ?? accepted;
  return socket;
}
