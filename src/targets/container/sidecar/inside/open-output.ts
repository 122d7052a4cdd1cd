/** Our end of a pipe that a program writes to. Imports nothing but Node. */
import { Socket } from 'node:net';

/**
 * Node reads 64 KiB at once, here and at the gateway. Less than that by two headers, a full piece of output is read there at
 * once, too; otherwise the few bytes that are left make a packet of their own.
 */
const pieceBytes = 64 * 1024 - 16;
/** What is shorter is copied, so that a program of few words does not hold so much for each. */
const copyBelowBytes = 16 * 1024;

export function openOutput(fd: number): Socket {
  let buffer = Buffer.allocUnsafeSlow(pieceBytes);
  const take = (bytes: number): Buffer => {
    if (bytes < copyBelowBytes) return Buffer.from(buffer.subarray(0, bytes));
    const piece = buffer.subarray(0, bytes);
    buffer = Buffer.allocUnsafeSlow(pieceBytes);
    return piece;
  };
  const socket: Socket = new Socket({
    fd,
    readable: true,
    writable: false,
    // It is asked for after each read.
    onread: { buffer: () => buffer, callback: (bytes) => socket.push(take(bytes)) },
  });
  return socket;
}
