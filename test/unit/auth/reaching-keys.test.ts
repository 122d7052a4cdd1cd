import { beforeEach, describe, expect, it } from 'vitest';
import { createListReachingKeys, type ListReachingKeys } from '../../../src/auth/reaching-keys.ts';
import { type Access, hidden, onHostNetwork, openAccess, tagged, web } from '../../support/access.ts';
import { putGrant, putKey } from '../../support/people.ts';

describe('whose keys open a container', () => {
  let access: Access;
  let listReachingKeys: ListReachingKeys;
  beforeEach(async () => {
    access = await openAccess();
    const { store, clock } = access;
    listReachingKeys = createListReachingKeys({ store, clock, config: { containers: 'all' } });
  });

  const names = async (target: typeof web) => {
    const { keys, leftOut } = await listReachingKeys(target);
    return {
      keys: keys.map(({ account, key }) => `${account.name} ${key.name}`).toSorted(),
      leftOut: leftOut.map(({ account, reason }) => `${account} ${reason}`).toSorted(),
    };
  };

  it('those of admins, owners and people with a grant without limits', async () => {
    expect(await names(web)).toEqual({
      keys: ['ada k', 'gus k', 'olga bare', 'olga inner', 'olga inner2', 'olga k'],
      leftOut: ['lim limited-grant', 'ulla limited-grant'],
    });
  });

  it('recording: not those of whoever must be recorded there, for an SSH server inside records nobody', async () => {
    const { store } = access;
    const since = '2026-01-01T00:00:00Z';
    const put = (id: string, mode: 'on' | 'required') =>
      store.transact((transaction) => transaction.put('recordingRules', { id, mode, since }));
    await put(web.key, 'on');
    expect((await names(web)).keys).toContain('gus k');
    const gus = await store.find('accounts', 'name', 'gus');
    await put(`account:${gus?.id}`, 'required');
    expect((await names(web)).leftOut).toContain('gus recording');
    await put(web.key, 'required');
    const { keys, leftOut } = await names(web);
    expect([keys, leftOut]).toEqual([[], expect.arrayContaining(['ada recording', 'olga recording'])]);
  });

  it('a key with a tag only where the container carries it', async () => {
    expect((await names(tagged)).keys).toContain('olga tagged');
    expect((await names(web)).keys).not.toContain('olga tagged');
  });

  it('nobody’s where the gateway shows no container', async () => {
    expect(await names(hidden)).toEqual({ keys: [], leftOut: [] });
  });

  it('not those that expired, that are tokens’, or of disabled accounts', async () => {
    const { store, clock, person } = access;
    const ned = await person('ned', 'admin');
    await putKey(store, ned.account, 'token', { kind: 'api' });
    await putKey(store, ned.account, 'short', { expiresAt: new Date(clock.nowMs + 1_000).toISOString() });
    expect((await names(web)).keys).toEqual(expect.arrayContaining(['ned k', 'ned short']));
    expect((await names(web)).keys).not.toContain('ned token');
    clock.nowMs += 1_000;
    expect((await names(web)).keys).not.toContain('ned short');
    await store.transact((transaction) => transaction.put('accounts', { ...ned.account, disabled: true }));
    expect((await names(web)).keys.join()).not.toContain('ned');
  });

  it('not those of accounts with a second factor, or that must have one; nobody’s where the container asks for it', async () => {
    const { store, person } = access;
    const mia = await person('mia', 'admin');
    const noa = await person('noa', 'admin');
    await store.transact(async (transaction) => {
      const factor = { createdAt: '2026-01-01T00:00:00Z', lastStep: 0, recoveryCodes: [], wrongCodes: 0 };
      const row = { id: mia.account.id, secret: 'A'.repeat(16), ...factor };
      await transaction.put('secondFactors', { ...row, confirmedAt: '2026-01-01T00:00:00Z' });
      await transaction.put('accounts', { ...noa.account, secondFactorRequired: true });
    });
    const { keys, leftOut } = await names(web);
    expect(keys.join()).not.toMatch(/mia|noa/);
    expect(leftOut).toEqual(expect.arrayContaining(['mia second-factor', 'noa second-factor']));
    await store.transact((transaction) =>
      transaction.put('secondFactorTargets', { id: web.key, since: '2026-01-01T00:00:00Z' }),
    );
    const covered = await names(web);
    expect(covered.keys).toEqual([]);
    expect(covered.leftOut).toContain('olga second-factor');
  });

  it('a grant that is replaced by one with limits takes its keys away', async () => {
    const gus = await access.store.find('accounts', 'name', 'gus');
    if (!gus) throw new Error('no gus');
    await putGrant(access.store, web, gus, { noPty: true });
    const { keys, leftOut } = await names(web);
    expect(keys).not.toContain('gus k');
    expect(leftOut).toContain('gus limited-grant');
  });

  it('on the host’s network only admins may forward, and a key’s own restrictions go with it', async () => {
    const allowed = Object.fromEntries(
      (await listReachingKeys(onHostNetwork)).keys.map(({ account, key, allows }) => [
        `${account.name} ${key.name}`,
        allows,
      ]),
    );
    expect(allowed['ada k']).toMatchObject({ pty: true, forwarding: true });
    expect(allowed['olga k']).toMatchObject({ pty: true, forwarding: false });
    expect(allowed['olga bare']).toMatchObject({ pty: false, forwarding: false, agentForwarding: false });
  });
});
