/** What is withdrawn while a session is being authorized: the change is told before the session is in any list. */
import pino from 'pino';
import { expect, it } from 'vitest';
import { createAudit } from '../../../src/audit/audit.ts';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import type { Identity } from '../../../src/auth/identity.ts';
import { createSlots } from '../../../src/platform/slots.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';
import { watchRevocations } from '../../../src/sessions/revocation.ts';
import type { SessionEnd } from '../../../src/sessions/session.ts';
import type { Store } from '../../../src/store/store.ts';
import { config, web } from '../../support/access.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { identityOf, putAccount, putGrant, putKey, startOfTests } from '../../support/people.ts';
import { startAccountSession } from '../../support/session-io.ts';

const world = forEachTest(
  async () => {
    const store = createMemoryStore();
    const meanwhile: { change: () => Promise<unknown> } = { change: async () => {} };
    // The last that is asked before a session may begin, as slowly as a database or a supervisor answers.
    const slow: Store = {
      ...store,
      async get(table, id) {
        const row = await store.get(table, id);
        if (table === 'recordingRules') await meanwhile.change();
        return row;
      },
    };
    const authorizer = createAuthorizer({ store: slow, clock: { now: () => startOfTests }, config });
    const connections = createConnections();
    const log = pino({ level: 'silent' });
    const stop = watchRevocations({ store, authorizer, connections, log });
    const dependencies = {
      connections,
      slots: createSlots(),
      audit: createAudit(),
      log,
      clock: { now: () => startOfTests },
      maxSessionsPerAccount: 10,
    };
    const gus = await putAccount(store, 'gus');
    const grant = await putGrant(store, web, gus);
    const grantee = identityOf(gus, await putKey(store, gus, 'k'));
    /** A shell in web that runs until it is ended. */
    const begin = (identity: Identity) =>
      startAccountSession(dependencies, identity, { kind: 'shell' }, async () => {
        const principal = await authorizer.principal(identity);
        const authorization = await authorizer.authorize(principal, web, undefined);
        return {
          target: 'web',
          authorization,
          handler: (_request, running) => untilEnded(running.closed),
        };
      });
    return { store, meanwhile, gus, grant, grantee, begin, connections, stop };
  },
  async ({ stop }) => stop(),
);

const untilEnded = (closed: AbortSignal) =>
  new Promise<SessionEnd>((resolve) =>
    closed.addEventListener('abort', () => resolve({ exitStatus: 0 }), { once: true }),
  );

it.each(['grants', 'keys'] as const)(
  'withdrawn-meanwhile: a session that is being opened outlives none of %s',
  async (table) => {
    const { store, meanwhile, grant, grantee, begin, connections } = world;
    const id = table === 'grants' ? grant.id : grantee.keyId;
    meanwhile.change = async () => {
      meanwhile.change = async () => {};
      await store.transact((transaction) => transaction.remove(table, id));
    };
    const session = begin(grantee);
    expect(await session.end).toEqual({ exitStatus: 255 });
    expect(session.stderr().toString()).toBe('postern: you may no longer use web.\n');
    expect(connections.listSessions()).toEqual([]);
  },
);

it('withdrawn-meanwhile: an account that is disabled while its session opens has none', async () => {
  const { store, meanwhile, gus, grantee, begin } = world;
  meanwhile.change = async () => {
    meanwhile.change = async () => {};
    await store.transact((transaction) => transaction.put('accounts', { ...gus, disabled: true }));
  };
  expect(await begin(grantee).end).toEqual({ exitStatus: 255 });
});

it('a session that nothing is taken from goes on', async () => {
  const { grantee, begin, connections } = world;
  const session = begin(grantee);
  await expect.poll(() => connections.listSessions()).toHaveLength(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(connections.listSessions()).toHaveLength(1);
  connections.listSessions()[0]?.end('enough.');
  await session.end;
});
