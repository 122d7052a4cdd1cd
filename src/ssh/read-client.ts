import type { Socket } from 'node:net';
import { lentReads, readAnew } from '../platform/lent-reads.ts';

/** A message of one who types, or of a keepalive. */
const leastBytes = 512;
/** Each read costs a way through all layers, and the packet at its end is copied. */
const readBytes = 128 * 1024;

/** The same socket of a client, of which nothing was read yet, with what it brings in memory that is used again. */
export function readClient(accepted: Socket): Socket {
  const onread = lentReads(() => socket, { leastBytes, mostBytes: readBytes });
  const socket: Socket = readAnew(accepted, onread) ?? accepted;
  return socket;
}
