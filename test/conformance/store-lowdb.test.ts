import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import { describeStore } from './store.ts';

describeStore('lowdb', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'postern-store-'));
  let store = await openLowdbStore({ dataDir });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openLowdbStore({ dataDir });
      return store;
    },
    dispose: async () => {
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
});
