/** A gateway that cannot write its log, or whose engine is silent, serves all the same and stops when it is told to. */
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, spawnSsh, ssh } from '../support/ssh-client.ts';

let folder: string;
let admin: KeyPair;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-stops-'));
  admin = await makeKeyPair();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const whoami = async ({ port }: Served) => ssh(await targetIn(folder, port), 'whoami', { key: admin });

it('full-log-disk: lines of the log are lost, sessions are served, and it stops in good order', async () => {
  const full = await open('/dev/full', 'w');
  const flags = [`--admin-key=${admin.file}.pub`, '--log-level=trace'];
  const served = await serve(folder, flags, full.fd);
  await full.close();
  for (let login = 0; login < 3; login++) expect((await whoami(served)).text).toContain('Account: admin');
  expect(await stop(served)).toBe(0);
});

it('silent-engine: one that accepts and never answers delays neither the start nor the stop', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const served = await serve(folder, [`--admin-key=${admin.file}.pub`, `--docker=tcp://127.0.0.1:${port}`]);
  expect((await whoami(served)).text).toContain('Account: admin');
  await expect.poll(() => sockets.size).toBeGreaterThan(0);
  expect(await stop(served, 15_000)).toBe(0);
  for (const socket of sockets) socket.destroy();
  silent.close();
});

it('uncaught-fault: a fault of ours that nothing caught stops the gateway in order, with status 1', async () => {
  const fault = "process.on('SIGUSR2', () => { throw new Error('made by a test'); })";
  process.env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(fault)}`;
  const served = await serve(folder, [`--admin-key=${admin.file}.pub`]).finally(() => {
    delete process.env['NODE_OPTIONS'];
  });
  const exited = once(served.child, 'exit');
  const prompt = spawnSsh(await targetIn(folder, served.port), undefined, { key: admin, args: ['-tt'] });
  let told = '';
  prompt.stderr?.on('data', (chunk) => {
    told += chunk;
  });
  const left = once(prompt, 'close');
  await once(prompt.stdout as Readable, 'data');
  served.child.kill('SIGUSR2');
  expect(await exited).toEqual([1, null]);
  await left;
  expect(told).toContain('the gateway is shutting down.');
  expect(served.printed()).toContain('internal error; the gateway stops');
});
