/**
 * Runs in a container, on its loopback alone: 80 answers HTTP, 81 echoes, 82 speaks first, 83 counts what it is sent, 84 reads nothing.
 * Unix sockets in /srv/sockets do the same, called by what they do.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';

// Of the last start.
rmSync('/srv/sockets', { recursive: true, force: true });
mkdirSync('/srv/sockets', { recursive: true });

const on = (port: number, name: string, serve: (socket: Socket) => void) => {
  const make = () =>
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      serve(socket);
    });
  make().listen({ path: `/srv/sockets/${name}`, writableAll: true });
  make().listen(port, '127.0.0.1', 1024);
};

createHttpServer((_request, response) => response.end(`inside ${hostname()}\n`)).listen(80, '127.0.0.1');
on(81, 'echo', (socket) => void socket.pipe(socket));
on(82, 'greet', (socket) => void socket.end('220 ready\n'));
on(83, 'count', (socket) => {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.on('end', () => socket.end(`${bytes}\n`));
});
on(84, 'stuck', (socket) => void socket.pause());
process.on('SIGTERM', () => process.exit(0));
