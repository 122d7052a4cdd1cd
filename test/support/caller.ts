/** A TCP connection to this machine that keeps what it hears. */
import { connect, type Socket } from 'node:net';

export interface Caller {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly isClosed: () => boolean;
}

export function callPort(port: number, localAddress = '127.0.0.1'): Caller {
  let heard = '';
  let isClosed = false;
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    isClosed = true;
  });
  return { socket, heard: () => heard, isClosed: () => isClosed };
}
