/** Who reaches which registered host, as whom, and with what. */
import { describe, expect, it } from 'vitest';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import type { Identity } from '../../../src/auth/identity.ts';
import { hostKey } from '../../../src/hosts/hosts.ts';
import type { GrantRow, HostRow, KeyRow, Role } from '../../../src/store/schema.ts';
import { config } from '../../support/access.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { hostsOf, identityOf, putAccount, putGrant, putKey, startOfTests } from '../../support/people.ts';

const access = forEachTest(async () => {
  const store = createMemoryStore();
  const authorizer = createAuthorizer({ store, clock: { now: () => startOfTests }, config });
  const person = async (name: string, role: Role = 'member', key: Partial<KeyRow> = {}) => {
    const account = await putAccount(store, name, role);
    return { account, identity: identityOf(account, await putKey(store, account, 'k', key)) };
  };
  const ada = await person('ada', 'admin');
  const put = async (name: string, facts: Partial<HostRow> = {}) => {
    const host: HostRow = {
      id: `id-${name}`,
      name,
      slug: name,
      hostname: `${name}.example.com`,
      port: 22,
      username: 'deploy',
      ports: [],
      shared: false,
      createdBy: ada.account.id,
      createdAt: '2026-01-01T00:00:00.000Z',
      ...facts,
    };
    await store.transact((transaction) => transaction.put('hosts', host));
    return host;
  };
  const authorize = async (identity: Identity, host: HostRow, user?: string) =>
    authorizer.authorize(await authorizer.principal(identity), await hostsOf(store).asTarget(host), user);
  /** The user somebody logs in as, or the code of the refusal. */
  const enter = (identity: Identity, host: HostRow, user?: string) =>
    authorize(identity, host, user).then(
      (authorization) => authorization.user,
      (error: { code: string }) => error.code,
    );
  return { store, authorizer, person, ada, put, authorize, enter };
});

const grant = (
  host: HostRow,
  account: { account: Parameters<typeof putGrant>[2] },
  terms: Partial<GrantRow> = {},
) => putGrant(access.store, { key: hostKey(host) }, account.account, terms);

describe('as whom', () => {
  it('an admin or registrant: the host’s own user, or one of its list, and nobody else', async () => {
    const host = await access.put('prod', { users: ['app', 'deploy'] });
    const wanted = [undefined, 'rexec', 'deploy', 'app', 'root', 'De ploy'];
    const users = await Promise.all(wanted.map((user) => access.enter(access.ada.identity, host, user)));
    expect(users).toEqual(['deploy', 'deploy', 'deploy', 'app', 'target-user-refused', 'no-such-user']);
  });

  it('a grantee without users: the host’s own user only', async () => {
    const host = await access.put('prod', { users: ['app'] });
    const gus = await access.person('gus');
    expect(await access.enter(gus.identity, host)).toBe('target-not-found');
    await grant(host, gus);
    expect(await access.enter(gus.identity, host)).toBe('deploy');
    expect(await access.enter(gus.identity, host, 'app')).toBe('target-user-refused');
  });

  it('borrowed-user: a grant’s users count only as far as the host’s list goes', async () => {
    const host = await access.put('prod', { users: ['app'] });
    const ulla = await access.person('ulla');
    await grant(host, ulla, { users: ['app', 'root'] });
    expect(await access.enter(ulla.identity, host)).toBe('app');
    expect(await access.enter(ulla.identity, host, 'root')).toBe('target-user-refused');
    expect(await access.enter(ulla.identity, host, 'deploy')).toBe('target-user-refused');
  });

  it('a host shared with all: as its users; but a grant’s narrower terms hold for its account', async () => {
    const host = await access.put('prod', { users: ['app'], shared: true });
    const sam = await access.person('sam');
    expect(await access.enter(sam.identity, host, 'app')).toBe('app');
    await grant(host, sam, { noPty: true });
    expect(await access.enter(sam.identity, host, 'app')).toBe('target-user-refused');
    expect((await access.authorize(sam.identity, host)).allows).toMatchObject({
      pty: false,
      endToEnd: false,
    });
  });
});

describe('with what', () => {
  it.each<[Partial<GrantRow>, boolean]>([
    [{}, true],
    [{ users: ['deploy'] }, false],
    [{ noPty: true }, false],
    [{ noSftp: true }, false],
    [{ noForwarding: true }, false],
  ])('unkept-limits: a grant of %j goes end to end: %s', async (terms, endToEnd) => {
    const host = await access.put('prod');
    const gus = await access.person('gus');
    await grant(host, gus, terms);
    const { allows } = await access.authorize(gus.identity, host);
    expect(allows).toEqual({
      pty: terms.noPty !== true,
      forwarding: terms.noForwarding !== true,
      agentForwarding: true,
      sftp: terms.noSftp !== true,
      endToEnd,
    });
  });

  it('unkept-recording: what must be recorded does not go end to end, for anybody', async () => {
    const host = await access.put('prod');
    const ada = await access.person('zoe', 'admin');
    const { store } = access;
    for (const [mode, endToEnd] of [
      ['on', true],
      ['required', false],
    ] as const) {
      const row = { id: `host:${host.id}`, mode, since: '2026-01-01T00:00:00Z' };
      await store.transact((transaction) => transaction.put('recordingRules', row));
      expect(await access.authorize(ada.identity, host)).toMatchObject({
        recording: mode,
        allows: { endToEnd },
      });
    }
  });

  it('a key’s tag and restrictions count as for containers', async () => {
    const host = await access.put('prod');
    const tagged = await access.person('tess', 'admin', { tag: 'ci' });
    expect(await access.enter(tagged.identity, host)).toBe('target-not-found');
    await access.store.transact((transaction) =>
      transaction.put('targetTags', { id: hostKey(host), tags: ['ci'] }),
    );
    expect(await access.enter(tagged.identity, host)).toBe('deploy');
    const bare = await access.person('bea', 'admin', {
      restrictions: { noPty: true, noPortForwarding: true, noAgentForwarding: true },
    });
    const { allows } = await access.authorize(bare.identity, host);
    expect(allows).toEqual({
      pty: false,
      forwarding: false,
      agentForwarding: false,
      sftp: true,
      endToEnd: false,
    });
  });

  it('a host that asks for a second factor is closed to whoever has shown none', async () => {
    const host = await access.put('prod');
    await access.store.transact((transaction) =>
      transaction.put('secondFactorTargets', { id: hostKey(host), since: host.createdAt }),
    );
    expect(await access.enter(access.ada.identity, host)).toBe('second-factor-target');
    const behind = await access.put('behind', { via: host.id });
    expect(await access.enter(access.ada.identity, behind)).toBe('second-factor-target');
  });
});

describe('the gateway’s own keys', () => {
  const withKeys = { identityFile: 'k', egressKey: true };

  it('borrowed-identity: serve only while the registrant is an admin', async () => {
    const host = await access.put('prod', withKeys);
    const read = async () => (await access.authorize(access.ada.identity, host)).target;
    expect(await read()).toMatchObject({ byAdmin: true, gatewayKeys: withKeys });
    const bob = await access.person('bob', 'admin');
    await access.store.transact((transaction) =>
      transaction.put('accounts', { ...access.ada.account, role: 'member' }),
    );
    const none = { byAdmin: false, gatewayKeys: { identityFile: undefined, egressKey: false } };
    expect((await access.authorize(bob.identity, host)).target).toMatchObject(none);
  });

  it('serve for what the operator of the machine registered', async () => {
    const host = await access.put('prod', { ...withKeys, createdBy: 'operator' });
    expect((await access.authorize(access.ada.identity, host)).target).toMatchObject({ byAdmin: true });
    const gone = await access.put('gone', { ...withKeys, createdBy: 'nobody' });
    expect((await access.authorize(access.ada.identity, gone)).target).toMatchObject({ byAdmin: false });
  });

  it('an authorization is of what is registered now, not of when the host was looked up', async () => {
    const host = await access.put('prod');
    await access.put('prod', { hostname: 'elsewhere.example.com' });
    expect((await access.authorize(access.ada.identity, host)).target.host.hostname).toBe(
      'elsewhere.example.com',
    );
    await access.store.transact((transaction) => transaction.remove('hosts', host.id));
    expect(await access.enter(access.ada.identity, host)).toBe('target-not-found');
  });
});

describe('through other hosts', () => {
  it('the nearest to the gateway comes first', async () => {
    const [c, a, b] = [
      await access.put('c'),
      await access.put('a', { via: 'id-c' }),
      await access.put('b', { via: 'id-a' }),
    ];
    const { target } = await access.authorize(access.ada.identity, b);
    expect(target.via.map(({ id }) => id)).toEqual([c.id, a.id]);
  });

  it('via-cycle: hosts that lead in a circle, or a host that is gone, are no way', async () => {
    const [a, b] = [await access.put('a', { via: 'id-b' }), await access.put('b', { via: 'id-a' })];
    const lost = await access.put('lost', { via: 'id-nowhere' });
    for (const host of [a, b, lost])
      expect(await access.enter(access.ada.identity, host)).toBe('host-via-refused');
  });

  it('whoever registered it must still be let through: not after the grant was taken back, nor with no-forwarding', async () => {
    const bastion = await access.put('bastion');
    const mia = await access.person('mia');
    const inner = await access.put('inner', { via: bastion.id, createdBy: mia.account.id });
    const outcome = () => access.enter(mia.identity, inner);
    expect(await outcome()).toBe('host-via-refused');
    await grant(bastion, mia);
    expect(await outcome()).toBe('deploy');
    await grant(bastion, mia, { noForwarding: true });
    expect(await outcome()).toBe('host-via-refused');
  });
});
