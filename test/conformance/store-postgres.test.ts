import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { describeStore } from './store.ts';

describeStore('postgres', async () => {
  const database = await createTestDatabase();
  const open = () => openPostgresStore({ url: database.url, gatewayName: 'test', cacheSeconds: () => 10 });
  let store = await open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await open();
      return store;
    },
    dispose: async () => {
      await store.close();
      await database.drop();
    },
  };
});
