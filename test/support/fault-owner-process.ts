/** A process in which connections have bugs; prints who was ended for each. */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createHttpServer, type Passage } from '../../src/http/server.ts';
import { noMeter } from '../../src/metrics/meter.ts';
import { inNameOf, ownEvents, takeFaultOwner } from '../../src/platform/fault-owner.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
process.on('uncaughtException', (error) => {
  const owner = takeFaultOwner();
  owner?.end(error.message);
  say(`${error.message}: ${owner?.connectionId ?? (owner ? 'a connection' : 'nobody')}`);
  // Whoever comes next must not inherit it.
  setImmediate(() => takeFaultOwner() && say('inherited'));
});

const throwing = (text: string) => () => {
  throw new Error(text);
};
const listen = (server: ReturnType<typeof createServer> | Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

let accepted = 0;
const sockets = createServer((socket: Socket) => {
  const connectionId = `socket ${++accepted}`;
  const owner = { connectionId, end: () => socket.destroy() };
  ownEvents(socket, { connectionId: 'unknown yet', end: () => {} });
  inNameOf(owner, () => ownEvents(socket, owner));
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (data.toString() === 'data') throw new Error('data');
    if (data.toString() === 'timer') setTimeout(throwing('timer'), 1);
    if (data.toString() === 'emitter') new EventEmitter().emit('error', new Error('emitter'));
    if (data.toString() === 'ping') socket.write('pong');
  });
});
/** Once it is upgraded, a socket's data comes past the parser. */
const upgraded: Passage = {
  isFor: ({ headers }) => headers.upgrade === 'websocket',
  handleRequest: () => {},
  handleUpgrade: (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', throwing('upgraded'));
  },
  close: () => {},
};
const config = { execTimeoutMs: 1_000 };
const http = createHttpServer(throwing('request'), { config, meter: noMeter, passage: upgraded });

const port = await listen(sockets);
const bystander = connect(port, '127.0.0.1');
for (const bug of ['data', 'timer', 'emitter']) {
  const socket = connect(port, '127.0.0.1', () => socket.write(bug)).on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
}
const httpPort = await listen(http);
await fetch(`http://127.0.0.1:${httpPort}/`).catch(() => say('the request was cut off'));
const websocket = connect(httpPort, '127.0.0.1').on('error', () => {});
websocket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
websocket.on('data', () => websocket.write('frame'));
await new Promise((resolve) => websocket.once('close', resolve));
inNameOf({ connectionId: 'accepting', end: () => {} }, throwing('accept'));
await new Promise((resolve) => setTimeout(resolve, 50));
setTimeout(throwing('own'), 1);
await new Promise((resolve) => setTimeout(resolve, 50));
bystander.write('ping');
say(`${await new Promise((resolve) => bystander.once('data', resolve))}`);
process.exit();
