/** Connects to what the gateway names, from inside the container. Imports nothing but Node. */
import type { ServerHttp2Stream } from 'node:http2';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { SteadyCopy } from './copy-steadily.ts';

/** The loopback of the container, whatever its /etc/hosts says or lacks. */
const loopback = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
/** For one of several addresses, before the next is tried. */
const attemptWithinMs = 250;
const loopbackWithinMs = 3_000;

/**
 * Resolves when connected; rejects with the system's error. Names are looked up as in the container. With `answers`, the
 * socket is paused, and to be read by that.
 */
export function dialTcp(
  host: string,
  port: number,
  withinMs: number,
  answers?: Pick<SteadyCopy, 'onread'>,
): Promise<Socket> {
  const isLoopback = host.toLowerCase() === 'localhost' || host === '';
  return settle(
    {
      host: isLoopback ? 'localhost' : host,
      port,
      noDelay: true,
      ...(answers ? { onread: answers.onread } : {}),
      autoSelectFamily: true,
      // With autoSelectFamily all addresses are asked for, and tried in turn.
      // The loopback answers at once: if that is not seen in Node's 250 ms, it is because there is much else to do.
      autoSelectFamilyAttemptTimeout: isLoopback ? loopbackWithinMs : attemptWithinMs,
      ...(isLoopback ? { lookup: (_host, _options, found) => found(null, loopback) } : {}),
    },
    withinMs,
  );
}

/** The same for any kind of address. */
export function settle(options: NetConnectOpts, withinMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, allowHalfOpen: true });
    // Node would read at once, before anybody takes it.
    if (options.onread) socket.pause();
    const deadline = setTimeout(
      () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
      withinMs,
    );
    socket.once('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(deadline);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** Copies both ways, each end of data passed on by itself; a failure of one side ends the other. */
export function join(
  stream: ServerHttp2Stream,
  socket: Socket,
  copyAnswers: () => void = () => void socket.pipe(stream),
): void {
  socket.on('error', () => stream.close(8));
  stream.on('error', () => socket.destroy());
  stream.on('close', () => {
    // What the gateway sent before it left is still the server's to read.
    if (stream.rstCode === 0) socket.end();
    else socket.destroy();
  });
  copyAnswers();
  stream.pipe(socket);
}
