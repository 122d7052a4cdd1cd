/**
 * `node bench/scale/measure.ts`: what logins, connections and changes cost a gateway and its PostgreSQL, by the processor
 * time of their processes; writes measured.json. Waits are the least of many, which a busy machine spoils least.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fingerprintOf } from '../../src/keys/parse-public-key.ts';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import { createLightClient } from '../../test/support/light-client.ts';
import { createTestDatabase } from '../../test/support/postgres.ts';
import { makeCluster, startServer, stopServer } from '../../test/support/postgres-server.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { collectGarbageOf, cpuMsOf, pssBytesOf } from '../support/process-tree.ts';
import { type Costs, costsFile } from './costs.ts';

const [logins, held, heldSeconds, batches, batchRows] = [400, 2_000, 15, 40, 100];

const folder = mkdtempSync(join(tmpdir(), 'postern-scale-'));
const cluster = join(folder, 'postgres');
// initdb runs as somebody else.
chmodSync(folder, 0o711);
await makeCluster(cluster);
// As in production: what is acknowledged is on disk.
writeFileSync(join(cluster, 'data/postgresql.auto.conf'), 'fsync = on\nfull_page_writes = on\n');
const server = await startServer(cluster);
const postgresPid = Number(readFileSync(join(cluster, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
const database = await createTestDatabase(server);

const config = { keepaliveIntervalMs: 1_000, perSourceMaxStartups: 1_000, maxStartups: '1000', workers: 1 };
const configFile = join(folder, 'config.json');
writeFileSync(configFile, JSON.stringify({ ...config, perSourcePenalties: false }));
const collect = 'process.on("SIGUSR2", () => { gc(); gc(); });';
process.env['NODE_OPTIONS'] = `--expose-gc --import=data:text/javascript,${encodeURIComponent(collect)}`;
process.env['POSTERN_STORE'] = database.url;
const gateway = await startGatewayProcess([`--config=${configFile}`]);
delete process.env['NODE_OPTIONS'];

const store = await openPostgresStore({
  url: database.url,
  gatewayName: 'measuring',
  cacheSeconds: () => 10,
});
const now = new Date().toISOString();
const facts = { role: 'member', disabled: false, createdAt: now, origin: 'operator' } as const;
await store.transact((transaction) =>
  transaction.put('accounts', { id: 'measured', name: 'measured', ...facts }),
);

/** Of every ed25519 key. */
const blobStart = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');

interface Key {
  readonly pem: string;
  readonly blob: Buffer;
}
function makeKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { pem, blob: Buffer.concat([blobStart, raw]) };
}

async function addKeys(blobs: readonly Buffer[]): Promise<void> {
  await store.transact(async (transaction) => {
    for (const blob of blobs) {
      await transaction.put('keys', {
        ...{
          id: randomBytes(9).toString('hex'),
          accountId: 'measured',
          name: randomBytes(6).toString('hex'),
        },
        ...{ publicKey: `ssh-ed25519 ${blob.toString('base64')}`, fingerprint: fingerprintOf(blob) },
        ...{ keyType: 'ssh-ed25519', kind: 'user', createdAt: now, restrictions: {} },
      });
    }
  });
}

const clockOf = () => ({ gateway: cpuMsOf(gateway.pid), database: cpuMsOf(postgresPid) });
async function spent(what: () => Promise<unknown>) {
  const before = clockOf();
  await what();
  const after = clockOf();
  return { gateway: after.gateway - before.gateway, database: after.database - before.database };
}

async function logInWith(keys: readonly Key[]): Promise<void> {
  const queue = [...keys];
  const one = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      (await createLightClient(gateway.port, next.pem).logIn()).destroy();
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  // The notes of uses are written by then, and the connections given up.
  await sleep(2_500);
}

async function residentBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await sleep(1_500);
    collectGarbageOf(gateway.pid);
  }
  await sleep(1_500);
  return pssBytesOf(gateway.pid);
}

async function leastMs(rows: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < batches; round++) {
    const blobs = Array.from({ length: rows }, () => Buffer.concat([blobStart, randomBytes(32)]));
    const startedAtMs = performance.now();
    await addKeys(blobs);
    least = Math.min(least, performance.now() - startedAtMs);
  }
  return least;
}

const sockets: { destroy(): void }[] = [];
try {
  const keys = Array.from({ length: logins + 200 }, makeKey);
  await addKeys(keys.map(({ blob }) => blob));
  await logInWith(keys.slice(logins));
  const idle = await spent(() => sleep(10_000));
  const login = await spent(() => logInWith(keys.slice(0, logins)));
  const gatewayBytes = await residentBytes();
  const client = createLightClient(gateway.port, keys[0]?.pem ?? '');
  for (let count = 0; count < held; count++) sockets.push(await client.logIn());
  const idleConnectionBytes = ((await residentBytes()) - gatewayBytes) / held;
  const keepalive = await spent(() => sleep(heldSeconds * 1000));
  const single = await leastMs(1);
  let many = 0;
  const heard = await spent(async () => {
    many = await leastMs(batchRows);
    await sleep(1_000);
  });
  const perIdleMs = idle.gateway / 10_000;
  const costs: Costs = {
    measuredOn: `${cpus()[0]?.model ?? 'unknown'} at load ${loadavg()[0]?.toFixed(1)}, ${process.version}, ${now.slice(0, 10)}`,
    loginCpuMs: login.gateway / logins,
    loginDatabaseCpuMs: login.database / logins,
    keepaliveCpuMs: Math.max(0, keepalive.gateway / (heldSeconds * 1000) - perIdleMs) / (held / 1000),
    idleConnectionBytes,
    gatewayBytes,
    transactionMs: single,
    writtenRowMs: (many - single) / (batchRows - 1),
    heardRowCpuMs: heard.gateway / (batches * batchRows),
    // Two ask: the gateway, and this process.
    pollDatabaseCpuMs: idle.database / 10 / 2,
  };
  writeFileSync(costsFile, `${JSON.stringify(costs, null, 2)}\n`);
  console.log(costs);
} finally {
  for (const socket of sockets) socket.destroy();
  gateway.stop();
  await store.close();
  await stopServer(cluster, 'immediate');
  await rm(folder, { recursive: true, force: true });
}
process.exit();
