import pino from 'pino';
import { expect, it } from 'vitest';
import { createAudit, logSink } from '../../../src/audit/audit.ts';
import { GatewayError } from '../../../src/errors.ts';
import { createSlots, type Slots } from '../../../src/platform/slots.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';
import type { SessionEnd } from '../../../src/sessions/session.ts';
import { context, startAccountSession } from '../../support/session-io.ts';

const log = pino({ level: 'silent' });

/** Sessions of one account whose targets are found slowly, and which run until they are let go. */
function openSessions(maxSessionsPerAccount: number, slots: Slots = createSlots()) {
  const connections = createConnections();
  const found = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<SessionEnd>();
  const dependencies = {
    connections,
    slots,
    audit: createAudit(logSink(log)),
    log,
    clock: { now: () => 0 },
    maxSessionsPerAccount,
  };
  const begin = (accountId = 'account') => {
    const identity = { ...context.identity, accountId } as typeof context.identity;
    return startAccountSession(dependencies, identity, 'sleep', async () => {
      await found.promise;
      return { target: 'web', handler: () => letGo.promise };
    });
  };
  return { connections, begin, found: found.resolve, letGo: () => letGo.resolve({ exitStatus: 0 }) };
}

it('session-flood: of many sessions that begin at the same moment only as many as an account may have run', async () => {
  const { connections, begin, found, letGo } = openSessions(2);
  const sessions = Array.from({ length: 6 }, () => begin());
  const other = begin('somebody else');
  found();
  const refused = await Promise.all(sessions.slice(2).map(({ end }) => end));
  expect(refused).toEqual(Array(4).fill({ exitStatus: 255 }));
  expect(sessions[2]?.stderr().toString()).toBe('postern: 2 sessions are open already; close one first.\n');
  expect(connections.listSessions()).toHaveLength(3);
  letGo();
  const ended = await Promise.all([...sessions.slice(0, 2), other].map(({ end }) => end));
  expect(ended).toEqual(Array(3).fill({ exitStatus: 0 }));
});

it('a session that ended, or found no target, leaves its place to the next one', async () => {
  const { begin, found, letGo } = openSessions(1);
  found();
  letGo();
  for (let round = 0; round < 3; round++) expect(await begin().end).toEqual({ exitStatus: 0 });
});

it('a session that nobody can count, as the database is away, does not begin, and says why', async () => {
  const reason = 'the database does not answer';
  const take = () => Promise.reject(new GatewayError('store-unavailable', { reason }));
  const { connections, begin, found } = openSessions(2, { take });
  found();
  const session = begin();
  expect(await session.end).toEqual({ exitStatus: 255 });
  expect(session.stderr().toString()).toContain(reason);
  expect(connections.listSessions()).toEqual([]);
});
