/** Answers each request with the bytes of the file /answer, whatever was asked, and notes in /asked what came. */
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => appendFileSync('/asked', chunk));
  socket.once('data', () => socket.end(readFileSync('/answer')));
}).listen(Number(process.argv[2]));
