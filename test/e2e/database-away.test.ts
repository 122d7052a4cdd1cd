/** A gateway whose database stalls, is cut off, crashes and comes again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { makeCluster, type PostgresServer, startServer, stopServer } from '../support/postgres-server.ts';
import { makeKeyPair } from '../support/ssh-client.ts';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const cacheSeconds = 4;
let server: PostgresServer;
let database: TestDatabase;
let proxy: TcpProxy;
let door: TestGateway;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-pg-'));
  await makeCluster(folder);
  server = await startServer(folder);
  database = await createTestDatabase(server);
  proxy = await openTcpProxy(server.port);
  const store = `postgres://postern@127.0.0.1:${proxy.port}/${database.name}`;
  door = await startTestGateway({ config: { store, storeCacheSeconds: cacheSeconds } });
});
afterEach(async () => {
  proxy.resume();
  await expect
    .poll(async () => (await door.ssh('whoami')).status, { timeout: 20_000, interval: 200 })
    .toBe(0);
});
afterAll(async () => {
  await door.stop();
  await proxy.close();
  await stopServer(server.folder, 'immediate');
  await rm(server.folder, { recursive: true, force: true });
});

const addKey = async (name: string) =>
  door.ssh(`ssh-key add --name=${name}`, { stdin: (await makeKeyPair()).publicKey });

describe('a database that is away', () => {
  it.each(['stall', 'cut'] as const)(
    'by a %s: who was here lately comes in for a while, then nobody; nothing can be changed; it comes again by itself',
    async (way) => {
      expect((await door.ssh('whoami')).status).toBe(0);
      proxy[way]();
      const awayAtMs = performance.now();
      const outcomes: unknown[] = [];
      const during = await door.ssh('whoami');
      outcomes.push(during.status, during.text, during.stderr, performance.now() - awayAtMs);
      const add = await addKey(`added-${way}`);
      outcomes.push(add.status, add.text, add.stderr, performance.now() - awayAtMs);
      await new Promise((resolve) => setTimeout(resolve, 5000));
      const after = await door.ssh('whoami');
      outcomes.push(after.status, after.text, after.stderr, performance.now() - awayAtMs);
      console.log(outcomes);
      proxy.resume();
    },
  );
});
