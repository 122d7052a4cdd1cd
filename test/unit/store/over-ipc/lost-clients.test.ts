import { describe, expect, it } from 'vitest';
import type { Peer } from '../../../../src/ipc/peer.ts';
import { openStoreClient, type StoreProcess } from '../../../support/store-over-ipc.ts';
import { accountRow } from '../../../support/store-rows.ts';
import { accountIds, clientOf, clientProcessOf, expectUnacknowledgedUntil, servedFolder } from './served.ts';

/** A served store that ends the process of a client as a supervisor does, and what it ended. */
async function serveProcesses(silenceMs: number) {
  const folder = await servedFolder();
  const ended: string[] = [];
  const processes: StoreProcess[] = [];
  const endClient = async (_peer: Peer, reason: string) => {
    ended.push(reason);
    for (const { child, exited } of processes) {
      child.kill('SIGKILL');
      await exited;
    }
  };
  const { server } = await folder.serve({ silenceMs, endClient });
  const other = await clientProcessOf(folder.path);
  processes.push(other);
  return { folder, server, other, ended, store: clientOf(folder.path) };
}

describe('a client that is killed in the middle of a transaction', () => {
  it('leaves nothing half-made, and the lock at once', async () => {
    const { other, store } = await serveProcesses(20_000);
    expect(await other.order('hold half')).toBe('holding');
    other.child.kill('SIGKILL');
    const startedAtMs = performance.now();
    await store.transact((t) => t.put('accounts', accountRow('whole')));
    // Sooner than anybody's silence is noticed.
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
    expect(await accountIds(store)).toEqual(['whole']);
  });
});

describe('a client that is stopped', () => {
  it('holds nobody up for longer than its silence lasts, though it has the lock', async () => {
    const { other, store, ended } = await serveProcesses(2_000);
    expect(await other.order('hold half')).toBe('holding');
    other.child.kill('SIGSTOP');
    const startedAtMs = performance.now();
    await store.transact((t) => t.put('accounts', accountRow('whole')));
    // Less than the silence that is usual.
    expect(performance.now() - startedAtMs).toBeLessThan(4_900);
    expect(ended).toHaveLength(1);
    expect(other.child.signalCode).toBe('SIGKILL');
    expect(await accountIds(store)).toEqual(['whole']);
  });

  it('is ended before a change is acknowledged that it has not taken, to the process that serves as well', async () => {
    const { other, server, ended } = await serveProcesses(2_000);
    await server.store.transact((t) => t.put('accounts', accountRow('seen')));
    expect(await other.order('get seen')).toMatchObject({ id: 'seen' });
    other.child.kill('SIGSTOP');
    await server.store.transact((t) => t.remove('accounts', 'seen'));
    expect(other.child.signalCode).toBe('SIGKILL');
    expect(ended).toEqual([expect.stringContaining('it did not take a change')]);
  });
});

describe('a client whose connection breaks while it lives', () => {
  it('is ended before the next change is acknowledged, for nobody knows what it reads', async () => {
    const folder = await servedFolder();
    const ended = Promise.withResolvers<void>();
    const reasons: string[] = [];
    const { server } = await folder.serve({
      endClient: (_peer, reason) => {
        reasons.push(reason);
        return ended.promise;
      },
    });
    const { store, supervisor } = openStoreClient(folder.path);
    await store.list('accounts');
    supervisor.close();
    await expect.poll(() => reasons).toEqual(['it is gone']);
    await expectUnacknowledgedUntil(ended, server.store);
  });
});

describe('a transaction in which nothing happens', () => {
  it('is ended, though its process lives, and says so to whoever goes on with it', async () => {
    const folder = await servedFolder();
    await folder.serve({ silenceMs: 1_500 });
    const [slow, quick] = [clientOf(folder.path), clientOf(folder.path)];
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const late = slow.transact(async (t) => {
      await t.put('accounts', accountRow('late'));
      begun.resolve();
      await goOn.promise;
      await t.put('accounts', accountRow('later'));
    });
    await begun.promise;
    await quick.transact((t) => t.put('accounts', accountRow('quick')));
    goOn.resolve();
    await expect(late).rejects.toMatchObject({
      code: 'store-write-failed',
      message: expect.stringContaining('took too long'),
    });
    expect(await accountIds(slow)).toEqual(['quick']);
    await slow.transact((t) => t.put('accounts', accountRow('again')));
    expect(await accountIds(quick)).toEqual(['quick', 'again']);
  });
});
