/** Stores that are served over IPC for one test, and gone when it is over. */
import { onTestFinished } from 'vitest';
import type { Store } from '../../../../src/store/store.ts';
import { makeServedFolder, openStoreClient, startStoreProcess } from '../../../support/store-over-ipc.ts';

export async function servedFolder() {
  const folder = await makeServedFolder();
  onTestFinished(() => folder.remove());
  return folder;
}

export function clientOf(path: string): Store {
  const { store, supervisor } = openStoreClient(path);
  onTestFinished(() => supervisor.close());
  return store;
}

export async function clientProcessOf(path: string) {
  const process = await startStoreProcess('client', path);
  onTestFinished(() => void process.child.kill('SIGKILL'));
  return process;
}

export const accountIds = async (store: Store) => (await store.list('accounts')).map(({ id }) => id);
