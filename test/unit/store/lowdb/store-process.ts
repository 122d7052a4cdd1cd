/**
 * A process of its own with the store at argv[2]: prints `open`, or `refused` and why, then does what
 * argv[3] says. Standard output is a pipe, so what was printed before a kill arrives.
 */
import { isGatewayError } from '../../../../src/errors.ts';
import { openLowdbStore } from '../../../../src/store/lowdb/open-lowdb-store.ts';
import type { Store } from '../../../../src/store/store.ts';
import { accountRow } from '../../../support/store-rows.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);

async function add(store: Store, name: string, email = ''): Promise<void> {
  await store.transact((transaction) => transaction.put('accounts', accountRow(name, name, { email })));
  print(name);
}

const jobs: Readonly<Record<string, (store: Store) => Promise<void>>> = {
  /** Until it is killed. */
  hold: () => new Promise(() => setInterval(() => {}, 1_000)),

  /** 500 at a time, until it is killed. */
  add: async (store) => {
    for (let round = 0; ; round++) {
      await Promise.all(
        Array.from({ length: 500 }, (_, index) => add(store, `${process.pid}-${round}-${index}`)),
      );
    }
  },

  'too-much': async (store) => {
    await add(store, 'small');
    await add(store, 'large', 'x'.repeat(100_000)).catch((error: unknown) => {
      const cause = (error as Error).cause as NodeJS.ErrnoException;
      print(isGatewayError(error) ? `${error.code} ${cause.code}` : String(error));
    });
    await add(store, 'another');
    await store.close();
  },
};

const [, , dataDir = '', job = 'hold'] = process.argv;
try {
  const store = await openLowdbStore({ dataDir });
  print('open');
  await jobs[job]?.(store);
} catch (error) {
  print(`refused ${(error as Error).message}`);
}
