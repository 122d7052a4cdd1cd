/** Connections that a supervisor reads a PROXY header of, and passes on to a worker. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { binaryHeader } from '../support/proxy-header.ts';
import { type Served, serve, stop } from '../support/served.ts';

const proxy = '127.0.0.30';
let folder: string;
let served: Served;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-passed-'));
  const config = { workers: 1, proxyProtocolFrom: [proxy], maxStartups: '100', perSourceMaxStartups: 100 };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  served = await serve(folder, [`--config=${join(folder, 'config.json')}`]);
});
afterAll(async () => {
  await stop(served);
  await rm(folder, { recursive: true, force: true });
});

/** Resolves to whether the gateway has answered a version that came right behind the header with its KEXINIT. */
async function isAnswered(): Promise<boolean> {
  const socket = connect({ port: served.port, host: '127.0.0.1', localAddress: proxy });
  let read = Buffer.alloc(0);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(binaryHeader({ source: '127.0.0.50', local: '127.0.0.1', ports: [4711, 2222] }));
  setImmediate(() => socket.write('SSH-2.0-passed\r\n'));
  const answered = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), 20_000);
    const done = (outcome: boolean) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    socket.once('close', () => done(false));
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk]);
      if (read.length > read.indexOf('\r\n') + 2 + 100) done(true);
    });
  });
  socket.destroy();
  return answered;
}

it('passed-half-read: of many that come at once, what follows the header is lost by none', async () => {
  const all = await Promise.all(Array.from({ length: 40 }, isAnswered));
  expect(all.filter((answered) => !answered)).toEqual([]);
}, 60_000);
