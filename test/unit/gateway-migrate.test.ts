import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { migrateStore } from '../../src/gateway-migrate.ts';
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import { putAccount } from '../support/people.ts';

it('migrated-by-root: what is put into a folder of somebody else is theirs, or the gateway could not read it', async () => {
  const owner = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() as number);
  const folder = await mkdtemp(join(tmpdir(), 'postern-migrate-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  const store = await openLowdbStore({ dataDir: from });
  await putAccount(store, 'ada');
  await store.close();
  await mkdir(to);
  await chown(to, owner, -1);
  await migrateStore(from, to);
  const names = await readdir(to, { recursive: true });
  expect(names).toContain('postern.json');
  for (const name of names) expect((await stat(join(to, name))).uid, name).toBe(owner);
});
