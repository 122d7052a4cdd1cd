import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openIpcListener } from '../../../../src/ipc/open-listener.ts';
import { serveStore } from '../../../../src/store/over-ipc/serve-store.ts';
import { createMemoryStore } from '../../../support/memory-store.ts';
import { accountRow } from '../../../support/store-rows.ts';
import { clientOf, servedFolder } from './served.ts';

it('is asked for all rows where it cannot say whether there are any', async () => {
  const path = join((await servedFolder()).dataDir, 'older.sock');
  const asked: string[] = [];
  const onFault = (error: unknown) => expect.unreachable(String(error));
  const server = serveStore({ store: createMemoryStore(), endClient: async () => {}, onFault });
  const listener = await openIpcListener({
    path,
    accept(_greeting, peer) {
      const handlers = server.handlersFor(peer);
      return {
        get(method) {
          asked.push(method);
          return method === 'store.isEmpty' ? undefined : handlers.get(method);
        },
      };
    },
    onFault,
  });
  onTestFinished(() => listener.close());
  const store = clientOf(path);
  expect(await store.isEmpty('accounts')).toBe(true);
  await store.transact(async (t) => {
    expect(await t.isEmpty('accounts')).toBe(true);
    await t.put('accounts', accountRow('1'));
    expect(await t.isEmpty('accounts')).toBe(false);
  });
  expect(await store.isEmpty('accounts')).toBe(false);
  expect(asked.filter((method) => method === 'store.isEmpty')).toHaveLength(4);
});
