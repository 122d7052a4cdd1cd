/**
 * A process with one end of a store over IPC, for tests: `serve DATADIR`, or `client SOCKET`. Takes one order for each line of
 * its standard input, and answers each with a line of JSON.
 */
import { createInterface } from 'node:readline';
import { makeServedFolder, openStoreClient } from './store-over-ipc.ts';
import { accountRow } from './store-rows.ts';

type Order = (...words: string[]) => Promise<unknown>;

const print = (value: unknown) => void process.stdout.write(`${JSON.stringify(value ?? null)}\n`);

async function serveOrders(dataDir: string): Promise<Record<string, Order>> {
  let served = await (await makeServedFolder(dataDir)).serve();
  return {
    leave: () => served.leave(),
    serve: async () => {
      served = await (await makeServedFolder(dataDir)).serve();
    },
  };
}

async function clientOrders(path: string): Promise<Record<string, Order>> {
  const { store } = openStoreClient(path);
  const changed = new Set<string>();
  store.onChange((changes) => {
    for (const { id = '*' } of changes) changed.add(id);
  });
  await store.list('accounts');
  return {
    get: (id) => store.get('accounts', id as string),
    'has-heard': async (id) => changed.has(id as string),
    /** A transaction that never ends. */
    hold: (id) =>
      new Promise((resolve) => {
        store
          .transact(async (transaction) => {
            await transaction.put('accounts', accountRow(id as string));
            resolve('holding');
            await new Promise(() => {});
          })
          .catch(() => {});
      }),
  };
}

const [, , role, place = ''] = process.argv;
const orders = await (role === 'serve' ? serveOrders(place) : clientOrders(place));
print('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [order = '', ...words] = line.split(' ');
  print(await orders[order]?.(...words));
}
process.exit();
