import { describe, expect, it, onTestFinished } from 'vitest';
import { openSteadyPeer } from '../../../../src/ipc/open-steady-peer.ts';
import type { Peer } from '../../../../src/ipc/peer.ts';
import { accountRow } from '../../../support/store-rows.ts';
import { accountIds, clientOf, servedFolder } from './served.ts';

/** A client that speaks the protocol by hand, and an honest one. */
async function handmadeClient() {
  const folder = await servedFolder();
  const faults: string[] = [];
  await folder.serve({ onFault: (_error, method) => faults.push(method) });
  const onFault = () => {};
  const supervisor = openSteadyPeer({ path: folder.path, who: 'hostile', onFault });
  onTestFinished(() => supervisor.close());
  return { peer: await supervisor.connected(5_000), store: clientOf(folder.path) };
}

const begin = (peer: Peer, number: number) => peer.request('store.begin', number, { deadlineMs: 300 });

describe('a client that breaks the rules', () => {
  it.each<[string, unknown]>([
    ['store.get', null],
    ['store.get', { of: ['__proto__', 'x'] }],
    ['store.get', { of: ['constructor', 'x'] }],
    ['store.get', { of: ['accounts', { toString: 1 }] }],
    ['store.get', { of: ['accounts', 'x'], in: 99 }],
    ['store.find', { of: ['accounts', '__proto__', 'x'] }],
    ['store.list', { of: ['accounts', 'name'] }],
    ['store.list', { of: [] }],
    ['store.put', [99, 'accounts', { id: 'x' }]],
    ['store.put', 'x'],
    ['store.remove', [99, 'accounts', 'x']],
    ['store.commit', 99],
    ['store.commit', null],
  ])('gets an error for %s of %j, and everybody else their answers', async (method, params) => {
    const { peer, store } = await handmadeClient();
    await expect(peer.request(method, params)).rejects.toThrow();
    await store.transact((t) => t.put('accounts', accountRow('1')));
    expect(await accountIds(store)).toEqual(['1']);
  });

  it('cannot use a transaction twice, or one of another client', async () => {
    const { peer, store } = await handmadeClient();
    await begin(peer, 1);
    await expect(begin(peer, 1)).rejects.toMatchObject({ code: 'store-write-failed' });
    await peer.request('store.put', [1, 'accounts', accountRow('1')]);
    await peer.request('store.commit', 1);
    for (const method of ['store.commit', 'store.put']) {
      await expect(
        peer.request(method, method === 'store.put' ? [1, 'accounts', accountRow('2')] : 1),
      ).rejects.toThrow();
    }
    let stolen: unknown;
    await store.transact(async (t) => {
      await t.put('accounts', accountRow('own'));
      stolen = await peer.request('store.abort', 1);
    });
    expect(stolen).toBeUndefined();
    expect(await accountIds(store)).toEqual(['1', 'own']);
  });

  it('stores no row that is none', async () => {
    const { peer, store } = await handmadeClient();
    await begin(peer, 1);
    for (const row of [null, 'x', {}, { id: 7 }]) {
      await expect(peer.request('store.put', [1, 'accounts', row])).rejects.toThrow();
    }
    await peer.request('store.commit', 1);
    expect(await accountIds(store)).toEqual([]);
  });

  it('cannot pile up transactions, and those that it no longer wants never run', async () => {
    const { peer, store } = await handmadeClient();
    const begun = Array.from({ length: 100 }, (_, number) => begin(peer, number + 1));
    const refused = await Promise.all(
      begun.map((each) =>
        each.then(
          () => 'begun',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(refused.filter((each) => each === 'store-write-failed')).toHaveLength(36);
    peer.close('the test has seen enough');
    await store.transact((t) => t.put('accounts', accountRow('1')));
    expect(await accountIds(store)).toEqual(['1']);
  });
});
