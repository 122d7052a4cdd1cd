import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FileCalls, fileCalls } from '../../../../src/store/lowdb/durable-file.ts';
import { makeDataDir, openStore, putAccount } from './stores.ts';

/** The real calls, each written down. */
function recorded(): { calls: FileCalls; log: string[] } {
  const log: string[] = [];
  const nameOf = (path: unknown) =>
    basename(String(path)).startsWith('postern.json.') ? 'new' : basename(String(path));
  const calls: FileCalls = {
    ...fileCalls,
    open: async (path, flags, mode) => {
      const handle = await fileCalls.open(path, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        log.push(`sync ${flags === 'r' ? 'folder' : nameOf(path)}`);
      };
      return handle;
    },
    link: async (from, to) => {
      await fileCalls.link(from, to);
      log.push(`keep ${nameOf(to)}`);
    },
    rename: async (from, to) => {
      await fileCalls.rename(from, to);
      log.push(`rename ${nameOf(from)} to ${nameOf(to)}`);
    },
  };
  return { calls, log };
}

describe('a transaction', () => {
  it('is acknowledged after the new file, its name and the folder are on disk', async () => {
    const { calls, log } = recorded();
    const store = await openStore({ dataDir: await makeDataDir(), calls });
    log.length = 0;
    await putAccount(store, 'alice').then(() => log.push('acknowledged'));
    expect(log).toEqual([
      'sync new',
      'keep postern-1.json',
      'rename new to postern.json',
      'sync folder',
      'acknowledged',
    ]);
  });

  it('shares its write with all that are begun with it', async () => {
    const { calls, log } = recorded();
    const store = await openStore({ dataDir: await makeDataDir(), calls });
    log.length = 0;
    await Promise.all(Array.from({ length: 500 }, (_, index) => putAccount(store, `a${index}`)));
    expect(log.filter((line) => line === 'sync new').length).toBeLessThanOrEqual(2);
    expect(await store.list('accounts')).toHaveLength(500);
  });

  it('that changes nothing writes nothing', async () => {
    const { calls, log } = recorded();
    const store = await openStore({ dataDir: await makeDataDir(), calls });
    log.length = 0;
    await store.transact(async (transaction) => transaction.list('accounts'));
    await store.transact((transaction) => transaction.remove('accounts', 'nobody'));
    expect(log).toEqual([]);
  });

  it('leaves a copy where the file system knows no links', async () => {
    const noLinks = async () => {
      throw Object.assign(new Error('not supported'), { code: 'EOPNOTSUPP' });
    };
    const copied: string[] = [];
    const calls: FileCalls = {
      ...fileCalls,
      link: noLinks,
      copyFile: async (from, to, mode) => {
        copied.push(basename(String(to)));
        await fileCalls.copyFile(from, to, mode);
      },
    };
    const store = await openStore({ dataDir: await makeDataDir(), calls });
    await putAccount(store, 'alice');
    expect(copied).toEqual(['postern-1.json']);
  });
});
