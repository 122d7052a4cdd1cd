/** A child process that is given sockets: it answers each with what had been read of it and what it reads itself. */
import type { Socket } from 'node:net';

process.on('message', ({ head }: { head: string }, handle) => {
  const socket = handle as Socket;
  const bytes = [Buffer.from(head, 'base64')];
  socket.on('data', (chunk) => bytes.push(chunk));
  socket.on('end', () => socket.end(Buffer.concat(bytes)));
});
