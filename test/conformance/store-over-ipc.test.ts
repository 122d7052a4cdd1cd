import { rm } from 'node:fs/promises';
import { makeServedFolder, openStoreClient, startStoreProcess } from '../support/store-over-ipc.ts';
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

describeStore('a store of another process', async () => {
  const folder = await makeServedFolder();
  const server = await startStoreProcess('serve', folder.dataDir);
  let client = openStoreClient(folder.path);
  const close = async () => {
    await client.store.close();
    client.supervisor.close();
  };
  return {
    store: client.store,
    reopen: async () => {
      await close();
      await server.order('leave');
      await server.order('serve');
      client = openStoreClient(folder.path);
      return client.store;
    },
    dispose: async () => {
      await close();
      server.child.kill('SIGKILL');
      await server.exited;
      await rm(folder.dataDir, { recursive: true });
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
