import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../../src/errors.ts';
import type { RawDocument } from '../../../../src/store/document.ts';
import { openLowdbStore } from '../../../../src/store/lowdb/open-lowdb-store.ts';
import { accountNames, makeDataDir, openStore, putAccount, storeWith } from './stores.ts';

const run = promisify(execFile);

async function refusal(dataDir: string): Promise<string> {
  const opened = await openLowdbStore({ dataDir }).catch((error: unknown) => error);
  if (isGatewayError(opened, 'store-corrupt')) return opened.message;
  throw new Error(`not refused as corrupt: ${String(opened)}`);
}

/** What the sentence tells the operator to run. */
const commandIn = (message: string) => message.split('To go back to it:  ')[1] as string;

const damages: [string, (text: string) => string][] = [
  ['is cut short', (text) => text.slice(0, -20)],
  ['is empty', () => ''],
  ['is no JSON', () => 'PK\x03\x04\x1b[2J'],
  ['is JSON of something else', () => '{"users":[]}'],
  ['is an array', () => '[]'],
  ['has a table that is no list', (text) => text.replace('"grants":[]', '"grants":{}')],
  ['lost a field of an account', (text) => text.replace('"role":"member",', '')],
  ['has an unknown role', (text) => text.replace('"role":"member"', '"role":"god"')],
  ['has an id that is no string', (text) => text.replace('"id":"alice"', '"id":7')],
  ['has a table nobody knows', (text) => text.replace('"grants"', '"__proto__"')],
  ['has two accounts of one name', (text) => text.replace('"name":"bob"', '"name":"alice"')],
];

describe('a store file that', () => {
  it.each(damages)(
    '%s is refused, left untouched, and restored by the command in the error',
    async (_name, damage) => {
      const { dataDir, file } = await storeWith(['alice', 'bob', 'carol']);
      const damaged = damage(await readFile(file, 'utf8'));
      await writeFile(file, damaged);
      const message = await refusal(dataDir);
      expect(await readFile(file, 'utf8')).toBe(damaged);
      expect(message).toContain(file);
      expect(message).not.toContain('\x1b');
      await run('sh', ['-c', commandIn(message)]);
      const store = await openStore({ dataDir });
      expect(await accountNames(store)).toEqual(['alice', 'bob']);
      await putAccount(store, 'dora');
      expect(await readFile(`${file}.damaged`, 'utf8')).toBe(damaged);
    },
  );

  it('is missing though there are backups is refused, and restored by the command in the error', async () => {
    const { dataDir, file } = await storeWith(['alice', 'bob']);
    await rm(file);
    const message = await refusal(dataDir);
    expect(message).toContain('missing');
    await run('sh', ['-c', commandIn(message)]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await accountNames(await openStore({ dataDir }))).toEqual(['alice']);
  });

  it('cannot be read, with backups that cannot either, names no command', async () => {
    const { dataDir, file } = await storeWith(['alice', 'bob']);
    for (const name of await readdir(join(dataDir, 'backups')))
      await writeFile(join(dataDir, 'backups', name), '');
    await writeFile(file, '{');
    expect(await refusal(dataDir)).toContain('no good backup');
  });

  it('is damaged makes the newest backup that is good the one to restore', async () => {
    const { dataDir, file } = await storeWith(['alice', 'bob', 'carol']);
    await writeFile(file, '');
    const [newest, next] = (await readdir(join(dataDir, 'backups'))).sort().reverse() as [string, string];
    await writeFile(join(dataDir, 'backups', newest), 'garbage');
    expect(commandIn(await refusal(dataDir))).toContain(next);
  });

  it('is damaged is told in words the shell reads back, whatever the folder is called', async () => {
    const dataDir = join(await makeDataDir(), "it's a; $(folder)");
    const store = await openLowdbStore({ dataDir });
    await putAccount(store, 'alice');
    await store.close();
    await writeFile(join(dataDir, 'postern.json'), '');
    await run('sh', ['-c', commandIn(await refusal(dataDir))]);
    expect(await accountNames(await openStore({ dataDir }))).toEqual([]);
  });

  it('was restored by hand gets new backups without losing the older ones', async () => {
    const { dataDir, file } = await storeWith(['alice', 'bob', 'carol', 'dora']);
    const backups = async () => (await readdir(join(dataDir, 'backups'))).sort();
    const [first] = await backups();
    await writeFile(file, await readFile(join(dataDir, 'backups', first as string)));
    const before = await backups();
    const store = await openStore({ dataDir });
    await putAccount(store, 'erin');
    const after = await backups();
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + 1);
  });
});

describe('a store file', () => {
  it('is for its owner only, as are its folders', async () => {
    const { dataDir, file } = await storeWith(['alice', 'bob']);
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await mode(file)).toBe(0o600);
    expect(await mode(dataDir)).toBe(0o700);
    expect(await mode(join(dataDir, 'backups'))).toBe(0o700);
    await chmod(dataDir, 0o755);
    await chmod(file, 0o644);
    await openStore({ dataDir });
    expect(await mode(dataDir)).toBe(0o700);
    expect(await mode(file)).toBe(0o600);
  });

  it('is kept in its last five versions', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const { dataDir } = await storeWith(names);
    const files = await readdir(join(dataDir, 'backups'));
    expect(files).toHaveLength(5);
    const contents = await Promise.all(files.map((name) => readFile(join(dataDir, 'backups', name), 'utf8')));
    const counts = contents.map((text) => JSON.parse(text).tables.accounts.length as number);
    expect(counts.sort()).toEqual([3, 4, 5, 6, 7]);
  });

  it('of a newer schema is refused and left untouched', async () => {
    const { dataDir, file } = await storeWith(['alice']);
    const newer = (await readFile(file, 'utf8')).replace('"schema":1', '"schema":99');
    await writeFile(file, newer);
    await expect(openLowdbStore({ dataDir })).rejects.toMatchObject({ code: 'store-newer' });
    expect(await readFile(file, 'utf8')).toBe(newer);
  });

  it('of an older schema is migrated step by step, and kept as it was', async () => {
    const { dataDir, file } = await storeWith(['alice']);
    const rename = (from: string, to: string) => (document: RawDocument) =>
      JSON.parse(JSON.stringify(document).replaceAll(`"name":"${from}"`, `"name":"${to}"`));
    const migrations = new Map([
      [1, rename('alice', 'bob')],
      [2, rename('bob', 'carol')],
    ]);
    const store = await openStore({ dataDir, version: 3, migrations });
    expect(await accountNames(store)).toEqual(['carol']);
    expect(JSON.parse(await readFile(file, 'utf8')).schema).toBe(3);
    expect(await readFile(join(dataDir, 'backups', 'schema-1.json'), 'utf8')).toContain('alice');
  });

  it('of an older schema without a way up is refused', async () => {
    const { dataDir, file } = await storeWith(['alice']);
    await expect(openLowdbStore({ dataDir, version: 3 })).rejects.toMatchObject({ code: 'store-corrupt' });
    expect(JSON.parse(await readFile(file, 'utf8')).schema).toBe(1);
  });

  it('half-written by a gateway that was killed is swept away', async () => {
    const { dataDir } = await storeWith(['alice']);
    const leftover = join(dataDir, 'postern.json.123-abc.tmp');
    await writeFile(leftover, '{"sch');
    await openStore({ dataDir });
    await expect(stat(leftover)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
