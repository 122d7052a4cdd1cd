/** `postern backup` of a gateway whose rows are in a database, and the way back into another one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { hostKeyIn, main, type Served, serve, stop } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, ssh, writeKnownHosts } from '../support/ssh-client.ts';

let top: string;
let databases: [TestDatabase, TestDatabase];
let admin: KeyPair;
let served: Served;
let hostKey: string;

const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args]);

/** Strictly by the first gateway's host key. */
async function asAdmin({ port }: Served, command: string) {
  return ssh({ port, knownHosts: await writeKnownHosts(port, [hostKey]) }, command, { key: admin });
}

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'postern-backup-pg-'));
  databases = [await createTestDatabase(), await createTestDatabase()];
  admin = await makeKeyPair();
  const extra = [`--store=${databases[0].url}`, `--admin-key=${admin.file}.pub`];
  served = await serve(join(top, 'first'), extra);
  hostKey = await hostKeyIn(join(top, 'first'));
  expect((await asAdmin(served, 'invite create --name=bob')).status).toBe(0);
  expect((await postern('backup', join(top, 'backup.tar'), `--data=${top}/first/data`)).status).toBe(0);
});
afterAll(async () => {
  await stop(served);
  await Promise.all(databases.map((each) => each.drop()));
  await rm(top, { recursive: true, force: true });
});

it('restore-under-others: a database is not restored by one of the gateways that use it', async () => {
  await asAdmin(served, 'invite create --name=carol');
  const refused = await postern('restore', join(top, 'backup.tar'), `--data=${top}/first/data`);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain(
    'this gateway keeps its rows in a database, which other gateways use, too',
  );
  expect(refused.stderr).toMatch(/postern restore FILE --data DIR .*postern migrate --from DIR --to URL/);
  expect((await asAdmin(served, 'invite list')).text).toContain('carol');
});

it('what that sentence advises fills another database: same accounts, keys and host keys', async () => {
  const folder = join(top, 'second');
  const places = [`--data=${folder}/data`, `--hostkeys=${folder}/hostkeys`];
  const restored = await postern('restore', join(top, 'backup.tar'), ...places);
  expect([restored.stderr, restored.status]).toEqual(['', 0]);
  const { url } = databases[1];
  const migrated = await postern('migrate', '--from', `${folder}/data`, '--to', url);
  expect([migrated.stderr, migrated.status]).toEqual(['', 0]);
  const second = await serve(folder, [`--store=${url}`]);
  expect((await asAdmin(second, 'whoami')).text).toContain('Account: admin');
  const invites = (await asAdmin(second, 'invite list')).text;
  expect([invites.includes('bob'), invites.includes('carol')]).toEqual([true, false]);
  expect(await stop(second)).toBe(0);
});
