/**
 * Logins by a store in PostgreSQL, on a unix socket of this machine. Bars: at the median at most 1.3 times what they take by lowdb; and among
 * 1,000,000 keys at most 1.2 times what they take among 1,000. Each key logs in once, so that nothing is known from before.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../../src/config/load-config.ts';
import { startGateway } from '../../src/gateway.ts';
import { fingerprintOf } from '../../src/keys/parse-public-key.ts';
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createLightClient } from '../../test/support/light-client.ts';
import { createTestDatabase } from '../../test/support/postgres.ts';
import makeMachineReady from '../../test/support/setup/machine.ts';
import { accountRow, keyRow } from '../../test/support/store-rows.ts';
import { fillStore } from '../support/fill-store.ts';
import { type Contender, interleave, type Measured, report } from '../support/measure.ts';

const logins = 300;
const few = 1_000;
const many = Number(process.env['BENCH_KEYS'] ?? 1_000_000);
const blobStart = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');

interface Place extends Contender {
  readonly stop: () => Promise<void>;
}

const people = Array.from({ length: logins }, () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const blob = Buffer.concat([blobStart, publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)]);
  return { blob, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
});

const admit = (store: Store) =>
  store.transact(async (transaction) => {
    for (const [index, { blob }] of people.entries()) {
      const id = `person${index}`;
      await transaction.put('accounts', accountRow(id));
      const facts = { fingerprint: fingerprintOf(blob), publicKey: `ssh-ed25519 ${blob.toString('base64')}` };
      await transaction.put('keys', keyRow(id, id, facts));
    }
  });

async function open(name: string, store: string, dataDir: string): Promise<Place> {
  const flags = { store, dataDir, hostKeysDir: `${dataDir}-keys`, sshListen: '127.0.0.1:0', sync: 'off' };
  const { config } = loadConfig({ env: {}, flags });
  const gateway = await startGateway(config, pino({ level: 'silent' }));
  let next = 0;
  const run = async () => {
    const { pem = '' } = people[next++] ?? {};
    (await createLightClient(gateway.sshAddress.port, pem).logIn()).destroy();
  };
  return { name, run, stop: () => gateway.stop() };
}

/** As `fillStore` does it, by the database itself. */
const fillSql = (count: number) => `
  INSERT INTO postern_accounts (id, place, body, name)
    SELECT 'account' || i, i, json_build_object('id', 'account' || i, 'name', 'account' || i, 'role', 'member', 'disabled', false,
      'createdAt', '2026-01-01T00:00:00.000Z', 'origin', 'operator')::text, 'account' || i FROM generate_series(0, ${count / 50}) i;
  INSERT INTO postern_keys (id, place, body, fingerprint, account_id)
    SELECT 'key' || i, i, json_build_object('id', 'key' || i, 'accountId', 'account' || i / 50, 'name', 'key' || i, 'fingerprint', 'SHA256:' || md5(i::text),
      'publicKey', 'ssh-ed25519 ' || md5(i::text), 'keyType', 'ssh-ed25519', 'kind', 'user', 'createdAt', '2026-01-01T00:00:00.000Z',
      'restrictions', json_build_object())::text, 'SHA256:' || md5(i::text), 'account' || i / 50 FROM generate_series(0, ${count - 1}) i;
  UPDATE postern_state SET place = ${2 * count};
  ANALYZE`;

const cleanUp = await makeMachineReady();
const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'));
await fillStore(join(folder, 'lowdb'), few);
const file = await openLowdbStore({ dataDir: join(folder, 'lowdb') });
await admit(file);
await file.close();
const places = [await open('lowdb', 'lowdb', join(folder, 'lowdb'))];
const databases = [];
for (const count of [few, many]) {
  const database = await createTestDatabase();
  databases.push(database);
  const store = await openPostgresStore({ url: database.url, gatewayName: 'bench', cacheSeconds: () => 10 });
  await database.query(fillSql(count));
  await admit(store);
  await store.close();
  places.push(await open(`postgres, ${count} keys`, database.url, join(folder, `postgres-${count}`)));
}
const [byLowdb, byFew, byMany] = (await interleave(places, logins - 1)) as [Measured, Measured, Measured];
report('a login, each with a key that nobody has used', [byFew, byLowdb], 1.3);
report('the same among many keys', [byMany, byFew], 1.2);
for (const { stop } of places) await stop();
for (const { drop } of databases) await drop();
await rm(folder, { recursive: true, force: true });
await cleanUp();
process.exit();
