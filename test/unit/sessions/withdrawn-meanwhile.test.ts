/** What is withdrawn while a session is being allowed: it is in no list yet, and ends all the same. */
import pino from 'pino';
import { expect, it } from 'vitest';
import { createAudit, logSink } from '../../../src/audit/audit.ts';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import { createSlots } from '../../../src/platform/slots.ts';
import { accountRuleId, putRecordingRule } from '../../../src/recordings/recording-modes.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';
import { openTarget, type SessionRoutes } from '../../../src/sessions/create-run-session.ts';
import { createReachWeb, type ReachWebDependencies } from '../../../src/sessions/reach-web.ts';
import { watchRevocations } from '../../../src/sessions/revocation.ts';
import type { Store } from '../../../src/store/store.ts';
import { config } from '../../support/access.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { container, identityOf, putAccount, putGrant, putKey, startOfTests } from '../../support/people.ts';
import { startAccountSession } from '../../support/session-io.ts';

const log = pino({ level: 'silent' });
const web = container('web');

/** A member with a grant; `meanwhile` is done, and acknowledged, while the last of what the store is asked is answered. */
const world = forEachTest(async () => {
  const store = createMemoryStore();
  const clock = { now: () => startOfTests };
  let meanwhile = async () => {};
  const slow: Store = {
    ...store,
    async get(table, id) {
      const row = await store.get(table, id);
      if (table !== 'recordingRules' || !id.startsWith('account:')) return row;
      const work = meanwhile;
      meanwhile = async () => {};
      await work();
      return row;
    },
  };
  const authorizer = createAuthorizer({ store: slow, clock, config });
  const connections = createConnections();
  watchRevocations({ store, authorizer, connections, log });
  const gus = await putAccount(store, 'gus');
  const identity = identityOf(gus, await putKey(store, gus, 'k'));
  const grant = await putGrant(store, web, gus);
  const targets = {
    authorize: (who: Awaited<ReturnType<typeof authorizer.principal>>) =>
      authorizer.authorize(who, web, undefined),
  };
  let began = 0;
  const engine = {
    openSession: () => async () => {
      began++;
      return { exitStatus: 0 };
    },
  };
  const recordSession: SessionRoutes['recordSession'] = (_authorization, handler) => handler;
  const routes = { authorizer, targets, engine, recordSession } as unknown as SessionRoutes;
  const audit = createAudit(logSink(log));
  const dependencies = { connections, slots: createSlots(), audit, log, clock, maxSessionsPerAccount: 5 };
  return {
    store,
    clock,
    gus,
    grant,
    authorizer,
    identity,
    began: () => began,
    when(work: () => Promise<void>) {
      meanwhile = work;
    },
    run: () =>
      startAccountSession(dependencies, identity, 'true', () =>
        openTarget(routes, identity, 'web', undefined),
      ),
  };
});

it('nothing: a session begins', async () => {
  expect(await world.run().end).toEqual({ exitStatus: 0 });
  expect(world.began()).toBe(1);
});

it('a grant: a session does not begin', async () => {
  const { store, grant, when, run, began } = world;
  when(() => store.transact((transaction) => transaction.remove('grants', grant.id)));
  const session = run();
  expect(await session.end).toEqual({ exitStatus: 255 });
  expect(session.stderr().toString()).toMatch(/web/);
  expect(began()).toBe(0);
});

it('the leave to go unrecorded: a session does not begin', async () => {
  const { store, clock, gus, when, run, began } = world;
  when(() => putRecordingRule({ store, clock }, accountRuleId(gus.id), 'required'));
  const session = run();
  expect(await session.end).toEqual({ exitStatus: 255 });
  expect(session.stderr().toString()).toContain('must be recorded from now on');
  expect(began()).toBe(0);
});

it('a grant: a request to its web server is not passed on', async () => {
  const { store, grant, authorizer, identity, when } = world;
  const targets = {
    authorizeContainer: async () =>
      authorizer.authorize(await authorizer.principal(identity), web, undefined),
  };
  const reachWeb = createReachWeb({
    authorizer,
    targets,
    targetPrefix: 'rexec-',
  } as unknown as ReachWebDependencies);
  const token = { cmds: [], container: 'web' };
  when(() => store.transact((transaction) => transaction.remove('grants', grant.id)));
  const reached = await reachWeb({ ...identity, token } as typeof identity, 'web');
  await expect(reached.recheck()).rejects.toMatchObject({ code: 'container-refused' });
});
