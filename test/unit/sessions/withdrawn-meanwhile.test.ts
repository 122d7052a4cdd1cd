/** What is withdrawn while a session is being allowed: it is in no list yet, and ends all the same. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pino from 'pino';
import { expect, it } from 'vitest';
import { createAudit, logSink } from '../../../src/audit/audit.ts';
import type { Authorizer, Principal } from '../../../src/auth/authorizer.ts';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import type { Identity } from '../../../src/auth/identity.ts';
import { GatewayError } from '../../../src/errors.ts';
import { createContainerPassage } from '../../../src/http/container-passage/create-container-passage.ts';
import type { PassDependencies } from '../../../src/http/container-passage/pass.ts';
import type { Passage } from '../../../src/http/server.ts';
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
const domain = 'gateway.example';

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
  const webServer = webServerOf(authorizer, identity);
  const dependencies = { connections, slots: createSlots(), audit, log, clock, maxSessionsPerAccount: 5 };
  return {
    store,
    clock,
    gus,
    grant,
    authorizer,
    identity,
    began: () => began,
    dialled: webServer.dialled,
    ask: () =>
      askOnce(
        createContainerPassage({ ...dependencies, ...webServer, domain } as unknown as PassDependencies),
      ),
    when(work: () => Promise<void>) {
      meanwhile = work;
    },
    run: () =>
      startAccountSession(dependencies, identity, 'true', () =>
        openTarget(routes, identity, 'web', undefined),
      ),
  };
});

/** Reached by a token of that identity; nothing listens there. */
function webServerOf(authorizer: Authorizer, identity: Identity) {
  let dialled = 0;
  const targets = {
    authorizeContainer: (who: Principal) => authorizer.authorize(who, web, undefined),
  };
  const engine = {
    dialWeb: async () => {
      dialled++;
      throw new GatewayError('engine-unavailable', { reason: 'it is down' });
    },
  };
  const routes = { authorizer, targets, engine, targetPrefix: 'rexec-' };
  return {
    dialled: () => dialled,
    reachWeb: createReachWeb(routes as unknown as ReachWebDependencies),
    tokens: { authenticate: async () => ({ ...identity, token: { cmds: [], container: 'web' } }) },
    addConnection: () => () => {},
  };
}

async function askOnce({ handleRequest }: Passage) {
  const server = createServer(handleRequest).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const headers = { Host: `web.${domain}`, Authorization: 'Bearer exe1.x' };
  const asked = get({ host: '127.0.0.1', port, headers, agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const sentence = await text(answer);
  server.close();
  return { status: answer.statusCode, sentence };
}

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
  const { store, grant, when, ask, dialled } = world;
  when(() => store.transact((transaction) => transaction.remove('grants', grant.id)));
  const { status, sentence } = await ask();
  expect(status).toBe(403);
  expect(sentence).toContain('you may no longer use web.');
  expect(dialled()).toBe(0);
});

it('nothing: a request to its web server is passed on', async () => {
  const { ask, dialled } = world;
  expect((await ask()).status).toBe(503);
  expect(dialled()).toBe(1);
});
