/** Workers whose supervisor has its rows in a database, beside another gateway on the same one. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { openInBoth } from '../support/open-in-both.ts';
import { openPrompt } from '../support/open-prompt.ts';
import { createTestDatabase, type TestDatabase, urlOf } from '../support/postgres.ts';
import { makeCluster, type PostgresServer, startServer, stopServer } from '../support/postgres-server.ts';
import { isRunning, servingWorkers, until } from '../support/processes.ts';
import { main, type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, type SshTarget, ssh } from '../support/ssh-client.ts';

let folder: string;
let server: PostgresServer;
let database: TestDatabase;
let admin: KeyPair;
let served: Served;
let target: SshTarget;
/** In this process, without workers. */
let other: TestGateway;

const whoami = (key = admin) => ssh(target, 'whoami', { key });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-workers-pg-'));
  server = await startServer(await made(await mkdtemp(join(tmpdir(), 'postern-pg-'))));
  database = await createTestDatabase(server);
  admin = await makeKeyPair();
  const store = urlOf(server, database.name);
  served = await serve(folder, [`--store=${store}`, `--admin-key=${admin.file}.pub`, '--workers=2']);
  target = await targetIn(folder, served.port);
  other = await startTestGateway({ admin, config: { store, gatewayName: 'other' } });
  await until(() => servingWorkers(served).length === 2);
});
afterAll(async () => {
  await other?.stop();
  if (served) await stop(served);
  await stopServer(server.folder, 'immediate');
  await Promise.all([folder, server.folder].map((each) => rm(each, { recursive: true, force: true })));
});

async function made(place: string): Promise<string> {
  await makeCluster(place);
  return place;
}

async function addKey(): Promise<KeyPair> {
  const key = await makeKeyPair();
  expect((await other.ssh('ssh-key add --name=leaving', { stdin: key.publicKey })).status).toBe(0);
  return key;
}

/** On the other gateway; resolves to how long after its answer the last of the sockets ended. */
async function removeAndAwait(sockets: readonly Socket[]): Promise<number> {
  const ended = Promise.all(
    sockets.map(async (socket) => {
      await once(socket.resume(), 'end');
      return performance.now();
    }),
  );
  expect((await other.ssh('ssh-key remove leaving')).status).toBe(0);
  const removedAtMs = performance.now();
  return Math.max(...(await ended)) - removedAtMs;
}

it('a key removed on another gateway ends its connections in every worker within a second', async () => {
  const key = await addKey();
  const held = await openInBoth(served, key.file);
  expect(await removeAndAwait([...held.values()])).toBeLessThan(1_000);
  expect((await whoami(key)).status).toBe(255);
});

it('a change in one worker is known to all before it is acknowledged, and to the other gateway within a second', async () => {
  const key = await makeKeyPair();
  expect((await ssh(target, `ssh-key add '${key.publicKey}' --name=here`, { key: admin })).status).toBe(0);
  const held = await openInBoth(served, key.file);
  const ended = Promise.all([...held.values()].map((socket) => once(socket.resume(), 'end')));
  const elsewhere = await openPrompt(other, key);
  expect((await ssh(target, 'ssh-key remove here', { key: admin })).status).toBe(0);
  const removedAtMs = performance.now();
  await ended;
  await elsewhere.left;
  expect(performance.now() - removedAtMs).toBeLessThan(2_000);
});

it('database-restarted: who is connected stays, logins go on, and what changes elsewhere counts again', async () => {
  const key = await addKey();
  const held = await openInBoth(served, key.file);
  const sockets = [...held.values()];
  await stopServer(server.folder, 'immediate');
  await startServer(server.folder, server.port);
  await expect.poll(async () => (await whoami()).status, { timeout: 20_000, interval: 200 }).toBe(0);
  await expect
    .poll(async () => (await other.ssh('account list')).status, { timeout: 20_000, interval: 200 })
    .toBe(0);
  expect(sockets.map(({ readableEnded, destroyed }) => readableEnded || destroyed)).toEqual([false, false]);
  expect(await removeAndAwait(sockets)).toBeLessThan(1_000);
});

it('postern restart: others take over, and a key removed elsewhere ends what is left in the old ones', async () => {
  const key = await addKey();
  const before = servingWorkers(served);
  const prompt = await openPrompt(target, key);
  const held = await openInBoth(served, key.file);
  const restarted = await runProgram(process.execPath, [main, 'restart', `--data=${folder}/data`]);
  expect([restarted.stderr, restarted.status]).toEqual(['', 0]);
  const now = servingWorkers(served);
  expect([now.length, now.filter((pid) => before.includes(pid))]).toEqual([2, []]);
  expect((await whoami()).text).toContain('Account: admin');
  await prompt.ask('whoami', /Account: admin/);
  const young = await openInBoth(served, key.file);
  expect(await removeAndAwait([...held.values(), ...young.values()])).toBeLessThan(1_000);
  expect((await prompt.left)[0]).toBe(255);
  await until(() => before.filter(isRunning).length === 0);
});
