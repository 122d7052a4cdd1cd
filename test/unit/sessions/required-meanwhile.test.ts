/** A recording that is required while something is dialled: what is not in a list of sessions yet ends all the same. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import { hostKey } from '../../../src/hosts/hosts.ts';
import { putRecordingRule } from '../../../src/recordings/recording-modes.ts';
import { createForwardAccess, type ForwardAccessDependencies } from '../../../src/sessions/forward-access.ts';
import type { PeerConnection } from '../../../src/sessions/peer.ts';
import { createReachHost, type ReachHostDependencies } from '../../../src/sessions/reach-host.ts';
import type { HostRow } from '../../../src/store/schema.ts';
import { config } from '../../support/access.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { hostsOf, identityOf, putAccount, putKey, startOfTests } from '../../support/people.ts';

const host: HostRow = {
  id: 'id-prod',
  name: 'prod',
  slug: 'prod',
  hostname: 'h.example.com',
  port: 22,
  username: 'deploy',
  ports: [8080],
  shared: false,
  createdBy: 'nobody',
  createdAt: '2026-01-01T00:00:00.000Z',
};

const world = forEachTest(async () => {
  const store = createMemoryStore();
  const clock = { now: () => startOfTests };
  const authorizer = createAuthorizer({ store, clock, config });
  const ada = await putAccount(store, 'ada', 'admin');
  await store.transact((transaction) => transaction.put('hosts', { ...host, createdBy: ada.id }));
  const require = () => putRecordingRule({ store, clock }, hostKey(host), 'required');
  return {
    clock,
    authorizer,
    hosts: hostsOf(store),
    identity: identityOf(ada, await putKey(store, ada, 'k')),
    require,
  };
});

it('a forward that is dialled meanwhile is refused', async () => {
  const { clock, authorizer, hosts, identity, require } = world;
  const targets = { resolve: async () => hosts.asTarget(host) };
  const access = createForwardAccess({ authorizer, targets, clock } as unknown as ForwardAccessDependencies);
  const connection = {} as PeerConnection;
  const authorize = () =>
    access.authorize(connection, identity, { target: 'prod', user: undefined }, () => {});
  const authorization = await authorize();
  await access.recheck(authorization);
  await require();
  await expect(access.recheck(authorization)).rejects.toMatchObject({ code: 'recording-missing' });
  await access.recheck(await authorize());
});

it('a port of a host that is dialled meanwhile is refused, and what was dialled is closed', async () => {
  const { authorizer, hosts, identity, require } = world;
  const dialled = new PassThrough();
  const hostEngine = { reach: () => require().then(() => dialled) };
  const dependencies = { authorizer, hosts, hostEngine, targetPrefix: 'rexec-' };
  const reach = createReachHost(dependencies as unknown as ReachHostDependencies);
  const reached = reach(await authorizer.principal(identity), 'prod', 8080);
  await expect(reached).rejects.toMatchObject({ code: 'recording-missing' });
  expect(dialled.destroyed).toBe(true);
});
