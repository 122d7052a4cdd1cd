/** Stores that are served over IPC for one test, and gone when it is over. */
import { expect, onTestFinished } from 'vitest';
import type { Store } from '../../../../src/store/store.ts';
import { makeServedFolder, openStoreClient, startStoreProcess } from '../../../support/store-over-ipc.ts';
import { accountRow } from '../../../support/store-rows.ts';

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

/** Adds an account: whoever adds it hears that it is there only once `awaited` is resolved, which this does. */
export async function expectUnacknowledgedUntil(
  awaited: PromiseWithResolvers<void>,
  store: Store,
): Promise<void> {
  let acknowledged = false;
  const change = store
    .transact((t) => t.put('accounts', accountRow('1')))
    .then(() => {
      acknowledged = true;
    });
  await expect.poll(() => store.get('accounts', '1')).toBeDefined();
  expect(acknowledged).toBe(false);
  awaited.resolve();
  await change;
}
