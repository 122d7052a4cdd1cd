/** Moving between a folder and a database, and being cut off on the way. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelOfPlace, migrateStore } from '../../../../src/gateway-migrate.ts';
import { openLowdbStore } from '../../../../src/store/lowdb/open-lowdb-store.ts';
import { openPostgresStore } from '../../../../src/store/postgres/open-postgres-store.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/postgres.ts';
import { main } from '../../../support/served.ts';
import { runProgram } from '../../../support/ssh-client.ts';
import { accountRow, keyRow } from '../../../support/store-rows.ts';

const hostile = ['__proto__', 'a\u2028b\n"\\', '\ud800', '\u0000', '💥', 'x'.repeat(5_000)];
const count = 2_500;
let folder: string;
let database: TestDatabase;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-migrate-'));
  database = await createTestDatabase();
  const store = await openLowdbStore({ dataDir: join(folder, 'from') });
  await store.transact(async (t) => {
    for (const id of hostile) await t.put('accounts', accountRow(id));
    for (let index = count; index > 0; index--) await t.put('keys', keyRow(`k${index}`, 'someone'));
  });
  await store.close();
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const there = () => migrateStore(join(folder, 'from'), database.url);
const openDatabase = () =>
  openPostgresStore({ url: database.url, gatewayName: 'test', cacheSeconds: () => 10 });
const idsIn = async (table: 'accounts' | 'keys') => {
  const store = await openDatabase();
  return (await store.list(table).finally(() => store.close())).map(({ id }) => id);
};

describe('postern migrate', () => {
  it('brings every row into a database, in order, and back again the same', async () => {
    const digests = await there();
    expect(digests).toContainEqual({
      table: 'keys',
      rows: count,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await idsIn('accounts')).toEqual(hostile);
    expect((await idsIn('keys')).slice(0, 2)).toEqual([`k${count}`, `k${count - 1}`]);
    expect(await migrateStore(database.url, join(folder, 'back'))).toEqual(digests);
    expect(await migrateStore(join(folder, 'back'), database.url)).toEqual(digests);
  });

  it('half-filled: goes on where it was cut off, and no gateway opens the database meanwhile', async () => {
    await (await openDatabase()).close();
    await database.query(`
      CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cut off'; END $$;
      CREATE TRIGGER cut BEFORE INSERT ON postern_keys FOR EACH ROW WHEN (new.id = 'k3') EXECUTE FUNCTION cut()`);
    await expect(there()).rejects.toMatchObject({ code: 'store-write-failed' });
    const [{ filled } = {}] = await database.query('SELECT count(*)::int AS filled FROM postern_keys');
    expect(filled).toBe(2_000);
    await expect(openDatabase()).rejects.toThrow('in part');
    await database.query('DROP TRIGGER cut ON postern_keys');
    await there();
    expect(await idsIn('keys')).toHaveLength(count);
    expect((await idsIn('keys')).at(-1)).toBe('k1');
  });

  it('overwrites nothing: places with other rows are refused', async () => {
    const store = await openDatabase();
    await store.transact((t) => t.put('accounts', accountRow('somebody')));
    await store.close();
    await expect(there()).rejects.toMatchObject({ code: 'migration-refused' });
    expect(await idsIn('accounts')).toEqual(['somebody']);
    await expect(migrateStore(database.url, join(folder, 'from'))).rejects.toMatchObject({
      code: 'migration-refused',
    });
    await expect(migrateStore(join(folder, 'nothing'), database.url)).rejects.toThrow('there is no store');
  });

  it('password-in-argv: a URL with a password is refused, and not repeated', async () => {
    const to = 'postgres://postern:hunter2@127.0.0.1:1/postern';
    const outcome = await runProgram(process.execPath, [
      main,
      'migrate',
      `--from=${folder}/from`,
      `--to=${to}`,
    ]);
    expect(outcome.status).toBe(2);
    expect(outcome.stderr).toContain('PGPASSFILE');
    expect(outcome.stderr).not.toContain('hunter2');
    expect(labelOfPlace(to)).toBe('postgres://postern@127.0.0.1:1/postern');
  });

  it('says what is in each place', async () => {
    const outcome = await runProgram(process.execPath, [
      main,
      'migrate',
      `--from=${folder}/from`,
      `--to=${database.url}`,
    ]);
    expect(outcome.stderr).toBe('');
    expect(outcome.text).toMatch(new RegExp(`keys +${count}  [0-9a-f]{64}\n`));
    expect(outcome.text).toContain(
      `${count + hostile.length} rows are in postgres://postern@/${database.name} as they are in`,
    );
  });
});
