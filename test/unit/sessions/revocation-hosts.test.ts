/** Open sessions in hosts, and what is taken away meanwhile. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import type { Identity } from '../../../src/auth/identity.ts';
import { hostKey } from '../../../src/hosts/hosts.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';
import { watchRevocations } from '../../../src/sessions/revocation.ts';
import type { AccountRow, HostRow } from '../../../src/store/schema.ts';
import { config } from '../../support/access.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { hostsOf, identityOf, putAccount, putGrant, putKey, startOfTests } from '../../support/people.ts';

const world = forEachTest(
  async () => {
    const store = createMemoryStore();
    const live: { recordings: 'off' | 'all' | 'required' } = { recordings: 'off' };
    const own = {
      ...config,
      get recordings() {
        return live.recordings;
      },
    };
    const authorizer = createAuthorizer({ store, clock: { now: () => startOfTests }, config: own });
    const connections = createConnections();
    let reloaded = () => {};
    const onReload = (listener: () => void) => {
      reloaded = listener;
    };
    const log = pino({ level: 'silent' });
    const stop = watchRevocations({ store, authorizer, connections, onReload, log });
    const reload = (recordings: typeof live.recordings) => {
      live.recordings = recordings;
      reloaded();
    };
    const [ada, gus] = [await putAccount(store, 'ada', 'admin'), await putAccount(store, 'gus')];
    await putAccount(store, 'bob', 'admin');
    const put = async (slug: string, facts: Partial<HostRow> = {}) => {
      const host: HostRow = {
        id: `id-${slug}`,
        name: slug,
        slug,
        hostname: 'h.example.com',
        port: 22,
        username: 'deploy',
        ports: [],
        shared: false,
        createdBy: ada.id,
        createdAt: '2026-01-01T00:00:00.000Z',
        ...facts,
      };
      await store.transact((transaction) => transaction.put('hosts', host));
      return host;
    };
    const grantee = identityOf(gus, await putKey(store, gus, 'k'));
    /** A session in the host; resolves to what it was ended with, or `open`. */
    const open = async (identity: Identity, host: HostRow) => {
      const target = await hostsOf(store).asTarget(host);
      const authorization = await authorizer.authorize(
        await authorizer.principal(identity),
        target,
        undefined,
      );
      let ended = 'open';
      connections.addSession({
        id: 's',
        connectionId: 'c',
        identity,
        target: host.slug,
        what: 'shell',
        openedAt: host.createdAt,
        authorization,
        traffic: () => ({ bytesIn: 0, bytesOut: 0 }),
        end: (reason) => {
          ended = reason;
        },
      });
      return () => new Promise<string>((resolve) => setImmediate(() => resolve(ended)));
    };
    const demote = (account: AccountRow) =>
      store.transact((transaction) => transaction.put('accounts', { ...account, role: 'member' }));
    return { store, put, open, ada, gus, grantee, demote, reload, stop };
  },
  async ({ stop }) => stop(),
);

const gone = 'you may no longer use prod.';

describe('a session in a host ends', () => {
  it('when the grant it stands on is withdrawn', async () => {
    const { store, put, open, gus, grantee } = world;
    const host = await put('prod');
    const grant = await putGrant(store, { key: hostKey(host) }, gus);
    const end = await open(grantee, host);
    await store.transact((transaction) => transaction.remove('grants', grant.id));
    expect(await end()).toBe(gone);
  });

  it.each([{ identityFile: 'id' }, { egressKey: true }])(
    'borrowed-identity: when whoever registered it is no admin any more, with %j',
    async (keys) => {
      const { store, put, open, gus, grantee, ada, demote } = world;
      const host = await put('prod', keys);
      await putGrant(store, { key: hostKey(host) }, gus);
      const end = await open(grantee, host);
      await demote(ada);
      expect(await end()).toBe(gone);
    },
  );

  it('borrowed-identity: when that happens to a host on the way', async () => {
    const { store, put, open, gus, grantee, ada, demote } = world;
    const way = await put('way', { egressKey: true, shared: true });
    const host = await put('prod', { via: way.id, createdBy: 'id-bob' });
    await putGrant(store, { key: hostKey(host) }, gus);
    const end = await open(grantee, host);
    await demote(ada);
    expect(await end()).toBe(gone);
  });

  it('but not when none of the gateway’s keys was used, nor when the host is renamed or trusted anew', async () => {
    const { store, put, open, gus, grantee, ada, demote } = world;
    const host = await put('prod');
    await putGrant(store, { key: hostKey(host) }, gus);
    const end = await open(grantee, host);
    await demote(ada);
    await put('prod', { name: 'Other', hostKeys: ['ssh-ed25519 AAAA'] });
    expect(await end()).toBe('open');
  });

  it('when the host is removed', async () => {
    const { store, put, open, gus, grantee } = world;
    const host = await put('prod');
    await putGrant(store, { key: hostKey(host) }, gus);
    const end = await open(grantee, host);
    await store.transact((transaction) => transaction.remove('hosts', host.id));
    expect(await end()).toBe(gone);
  });
});

describe('a session that is not recorded', () => {
  const rule = (id: string, mode: 'on' | 'required') =>
    world.store.transact((transaction) =>
      transaction.put('recordingRules', { id, mode, since: '2026-01-01T00:00:00Z' }),
    );
  const openFor = async () => {
    const host = await world.put('prod');
    await putGrant(world.store, { key: hostKey(host) }, world.gus);
    return { host, ended: await world.open(world.grantee, host) };
  };

  it('goes on when recording is turned on, and ends where it becomes required, by a setting or a reload', async () => {
    const { host, ended } = await openFor();
    await rule(hostKey(host), 'on');
    world.reload('all');
    expect(await ended()).toBe('open');
    await rule(`account:${world.gus.id}`, 'required');
    expect(await ended()).toContain('must be recorded from now on');
    world.reload('off');
    await world.store.transact((transaction) =>
      transaction.remove('recordingRules', `account:${world.gus.id}`),
    );
    await world.store.transact((transaction) => transaction.remove('recordingRules', hostKey(host)));
    const another = await openFor();
    world.reload('required');
    expect(await another.ended()).toContain('must be recorded from now on');
  });

  it('and one that is recorded goes on', async () => {
    const host = await world.put('prod');
    await putGrant(world.store, { key: hostKey(host) }, world.gus);
    await rule(hostKey(host), 'on');
    const ended = await world.open(world.grantee, host);
    await rule(hostKey(host), 'required');
    expect(await ended()).toBe('open');
  });
});
