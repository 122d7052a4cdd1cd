import { makeServedFolder, openStoreClient } from '../support/store-over-ipc.ts';
import { describeStore } from './store.ts';

describeStore('a store over IPC', async () => {
  const folder = await makeServedFolder();
  let served = await folder.serve();
  let client = openStoreClient(folder.path);
  const close = async () => {
    await client.store.close();
    client.supervisor.close();
    await served.leave();
  };
  return {
    store: client.store,
    reopen: async () => {
      await close();
      served = await folder.serve();
      client = openStoreClient(folder.path);
      return client.store;
    },
    dispose: async () => {
      await close();
      await folder.remove();
    },
  };
});

describeStore('a served store, for the process that serves it,', async () => {
  const folder = await makeServedFolder();
  let served = await folder.serve();
  const client = openStoreClient(folder.path);
  return {
    store: served.server.store,
    reopen: async () => {
      await served.leave();
      served = await folder.serve();
      return served.server.store;
    },
    dispose: async () => {
      client.supervisor.close();
      await folder.remove();
    },
  };
});
