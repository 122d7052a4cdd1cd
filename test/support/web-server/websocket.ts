/** The server's side of RFC 6455, as far as the tests go: it sends everything back. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const acceptOf = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** `/ws` sends frames back, `/raw` the bytes as they are; `/ws-wrong` agrees to another handshake, the rest to none. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const path = request.url ?? '';
  if (!['/ws', '/raw', '/ws-wrong'].includes(path)) {
    const body = `${request.url} is no WebSocket`;
    return void socket.end(`HTTP/1.1 426 Upgrade Required\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
  const key = path === '/ws-wrong' ? 'another' : (request.headers['sec-websocket-key'] ?? '');
  const agreed = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    `X-Account: ${request.headers['x-exedev-userid']}`,
    `X-Authorization: ${request.headers.authorization ?? 'none'}`,
  ];
  socket.write(`${agreed.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  if (path === '/ws') echoFrames(socket);
  else socket.pipe(socket);
}

/** Short frames alone: up to 125 bytes, each with its mask. */
function echoFrames(socket: Duplex): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 6 && pending.length >= 6 + ((pending[1] as number) & 127)) {
      const length = (pending[1] as number) & 127;
      const mask = pending.subarray(2, 6);
      const text = pending.subarray(6, 6 + length).map((byte, index) => byte ^ (mask[index % 4] as number));
      socket.write(Buffer.concat([Buffer.from([pending[0] as number, length]), text]));
      if (((pending[0] as number) & 15) === 8) socket.end();
      pending = pending.subarray(6 + length);
    }
  });
  socket.on('end', () => socket.end());
}
