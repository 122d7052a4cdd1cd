import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type FileCalls, fileCalls } from '../../../../src/store/lowdb/durable-file.ts';
import type { Change } from '../../../../src/store/store.ts';
import { accountRow } from '../../../support/store-rows.ts';
import {
  accountNames,
  makeDataDir,
  openStore,
  putAccount,
  storeProcess,
  temporaryFilesIn,
} from './stores.ts';

const run = promisify(execFile);

const failure = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

/** A disk on which the named call fails while `broken`. */
function breakable(call: 'open' | 'rename' | 'folder sync') {
  const disk = { broken: false };
  const failing = async (): Promise<never> => {
    throw failure;
  };
  const calls: FileCalls = {
    ...fileCalls,
    open: async (path, flags, mode) => {
      if (disk.broken && call === 'open' && flags === 'wx') return failing();
      const handle = await fileCalls.open(path, flags, mode);
      if (disk.broken && call === 'folder sync' && flags === 'r') handle.sync = failing;
      return handle;
    },
    rename: async (from, to) => {
      if (disk.broken && call === 'rename') return failing();
      return fileCalls.rename(from, to);
    },
  };
  return { disk, calls };
}

describe.each(['open', 'rename', 'folder sync'] as const)('when %s fails', (call) => {
  it('each waiting caller is told, nothing has changed, and later transactions work', async () => {
    const dataDir = await makeDataDir();
    const { disk, calls } = breakable(call);
    const store = await openStore({ dataDir, calls });
    await putAccount(store, 'alice');
    const changes: (readonly Change[])[] = [];
    store.onChange((changed) => changes.push(changed));
    disk.broken = true;
    const failed = await Promise.allSettled(['bob', 'carol', 'dora'].map((name) => putAccount(store, name)));
    for (const { status, ...rest } of failed) {
      expect(status).toBe('rejected');
      expect(rest).toMatchObject({ reason: { code: 'store-write-failed' } });
    }
    expect(await accountNames(store)).toEqual(['alice']);
    expect(await store.find('accounts', 'name', 'bob')).toBeUndefined();
    expect(changes).toEqual([]);
    expect(JSON.parse(await readFile(join(dataDir, 'postern.json'), 'utf8')).tables.accounts).toHaveLength(1);
    expect(await temporaryFilesIn(dataDir)).toEqual([]);

    disk.broken = false;
    await Promise.all([putAccount(store, 'bob'), putAccount(store, 'erin')]);
    await store.close();
    expect(await accountNames(await openStore({ dataDir }))).toEqual(['alice', 'bob', 'erin']);
  });
});

describe('a transaction that was running when the disk failed', () => {
  it('fails too, for it read what never came to be', async () => {
    const { disk, calls } = breakable('open');
    const store = await openStore({ dataDir: await makeDataDir(), calls });
    disk.broken = true;
    const first = putAccount(store, 'bob');
    const second = store.transact(async (transaction) => {
      expect(await transaction.get('accounts', 'bob')).toBeDefined();
      await expect(first).rejects.toMatchObject({ code: 'store-write-failed' });
      disk.broken = false;
      await transaction.put('accounts', accountRow('carol'));
    });
    await expect(second).rejects.toMatchObject({ code: 'store-write-failed' });
    expect(await accountNames(store)).toEqual([]);
    await putAccount(store, 'dora');
    expect(await accountNames(store)).toEqual(['dora']);
  });

  it('is not answered before what it read is on disk', async () => {
    const store = await openStore({ dataDir: await makeDataDir() });
    const order: string[] = [];
    const write = putAccount(store, 'bob').then(() => order.push('written'));
    const read = store
      .transact((transaction) => transaction.get('accounts', 'bob'))
      .then((row) => order.push(`read ${row?.name}`));
    expect(await store.get('accounts', 'bob')).toBeUndefined();
    await Promise.all([write, read]);
    expect(order).toEqual(['written', 'read bob']);
  });
});

describe('a disk with room for less than is written', () => {
  it('makes the transaction fail that did not fit, and that one only', async () => {
    const dataDir = await makeDataDir();
    // The kernel's limit on the size of a file, 64 KiB; the signal it would send is ignored.
    const limited = `trap '' XFSZ; ulimit -f 128; exec "$0" "$@"`;
    const { stdout } = await run('sh', ['-c', limited, process.execPath, storeProcess, dataDir, 'too-much']);
    expect(stdout).toBe('open\nsmall\nstore-write-failed EFBIG\nanother\n');
    expect(await temporaryFilesIn(dataDir)).toEqual([]);
    expect(await accountNames(await openStore({ dataDir }))).toEqual(['small', 'another']);
  });
});
