/** Name servers that are not there, or never answer, under a gateway whose hosts have names. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostKeyIn, type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshTarget, ssh } from '../support/ssh-client.ts';

/** Has files of ours for the machine's own, in a mount namespace that ends with it. */
const inNamespace = `mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"`;
const silentServer = '127.77.7.53';

let folder: string;
let admin: KeyPair;
let served: Served;
let target: SshTarget;
let silent: Socket;

const nameServer = (address: string) =>
  writeFile(join(folder, 'resolv.conf'), `nameserver ${address}\noptions timeout:12 attempts:1\n`);
const hosts = (lines: string) => writeFile(join(folder, 'hosts'), `127.0.0.1 localhost\n${lines}`);
const line = (command: string) => ssh(target, command, { key: admin });
const toBackend = async () =>
  (await ssh(target, 'true', { key: admin, login: 'rexec-backend' })).stderr.trim();
const because = (reason: string) =>
  `postern: backend.example cannot be reached from the gateway (${reason}).`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-dns-'));
  admin = await makeKeyPair();
  silent = createSocket('udp4').bind(53, silentServer);
  await once(silent, 'listening');
  await nameServer('127.77.7.54');
  await hosts('');
  const config = join(folder, 'config.json');
  await writeFile(
    config,
    JSON.stringify({
      hostConnectTimeoutMs: 10_000,
      perSourceMaxStartups: 50,
      maxStartups: { start: 50, ratePercent: 100, full: 50 },
    }),
  );
  const flags = [`--admin-key=${admin.file}.pub`, `--config=${config}`];
  served = await serve(folder, flags, 'pipe', ['unshare', '-m', 'sh', '-c', inNamespace, folder]);
  target = await targetIn(folder, served.port);
  const pinned = (await hostKeyIn(folder)).split(' ').slice(0, 2).join(' ');
  const added = await line(`host add backend root@backend.example:1 --egress-key --host-key='${pinned}'`);
  expect(added.stderr).toBe('');
});
afterAll(async () => {
  expect(await stop(served)).toBe(0);
  silent.close();
  await rm(folder, { recursive: true, force: true });
});

it('no name server: a sentence; and as soon as the name is there, it is used', async () => {
  expect(await toBackend()).toBe(because('no name server answers'));
  await hosts('127.0.0.1 backend.example\n');
  expect(await toBackend()).toBe(because('connection refused'));
  await hosts('');
  expect(await toBackend()).toBe(because('no name server answers'));
});

it('silent-name-server: many who wait for it hold up nobody else, and nothing that is written', async () => {
  await nameServer(silentServer);
  await hosts('');
  let waiting = 16;
  const crowd = Array.from({ length: waiting }, () => toBackend().finally(() => waiting--));
  let asked = 0;
  silent.on('message', () => asked++);
  await expect.poll(() => asked).toBeGreaterThan(0);
  expect((await line('whoami')).text).toContain('Account: admin');
  expect((await line('invite create --name=meanwhile')).status).toBe(0);
  expect(waiting).toBeGreaterThan(0);
  const told = new Set(await Promise.all(crowd));
  expect(told).toContain(because('no answer in time'));
  // They share one question: who comes over two seconds after it was asked learns how it ended.
  told.delete(because('no name server answers'));
  expect(told).toEqual(new Set([because('no answer in time')]));

  await hosts('127.0.0.1 backend.example\n');
  await nameServer('127.77.7.54');
  await expect.poll(toBackend, { timeout: 40_000, interval: 500 }).toBe(because('connection refused'));
}, 90_000);
