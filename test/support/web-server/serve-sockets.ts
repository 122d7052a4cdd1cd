/** Runs in a container, on its loopback alone: 80 answers HTTP, 81 echoes, 82 speaks first, 83 counts what it is sent, 84 reads nothing. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';

const on = (port: number, serve: (socket: Socket) => void) =>
  createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    serve(socket);
  }).listen(port, '127.0.0.1', 1024);

createHttpServer((_request, response) => response.end(`inside ${hostname()}\n`)).listen(80, '127.0.0.1');
on(81, (socket) => void socket.pipe(socket));
on(82, (socket) => void socket.end('220 ready\n'));
on(83, (socket) => {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.on('end', () => socket.end(`${bytes}\n`));
});
on(84, (socket) => void socket.pause());
process.on('SIGTERM', () => process.exit(0));
