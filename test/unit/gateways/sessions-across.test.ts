/** Sessions of two gateways on one database. */
import { beforeEach, expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import { sessionsAcross } from '../../../src/gateways/sessions-across.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';
import { localSessions, type SessionDirectory } from '../../../src/sessions/session-directory.ts';
import { openGatewaysOnOneDatabase } from '../../support/gateways-on-one-database.ts';
import { forAllTests } from '../../support/lifetimes.ts';

const both = forAllTests(openGatewaysOnOneDatabase, ({ close }) => close());
let here: SessionDirectory;
let there: SessionDirectory;
let ended: string[];

beforeEach(() => {
  ended = [];
  const withOne = (id: string, accountName: string, openedAt: string): SessionDirectory => {
    const connections = createConnections();
    const source = { address: '192.0.2.1', port: 1 };
    const identity = { accountId: `id-${accountName}`, accountName, source } as Identity;
    connections.addSession({
      ...{ id, identity, openedAt, connectionId: 'c', target: 'lobby', what: 'shell' },
      traffic: () => ({ bytesIn: 1, bytesOut: 2 }),
      end: (reason) => void ended.push(`${id}: ${reason}`),
    });
    return localSessions(connections);
  };
  here = sessionsAcross(both.here, withOne('one', 'alice', '2026-01-01T00:00:02Z'));
  there = sessionsAcross(both.there, withOne('two', 'bob', '2026-01-01T00:00:01Z'));
});

const found = async (by: SessionDirectory, query = {}) => {
  const { sessions, silent } = await by.find(query);
  return [...sessions.map(({ id, gateway }) => `${id} ${gateway}`), ...silent];
};

it('all are found from each, in order of their opening, and only what is asked for', async () => {
  expect([await found(here), await found(there)]).toEqual([
    ['two there', 'one here'],
    ['two there', 'one here'],
  ]);
  expect(await found(here, { accountId: 'id-bob' })).toEqual(['two there']);
  expect(await found(here, { id: 'two', accountId: 'id-alice' })).toEqual([]);
});

it('one is ended where it is, and one that there is not nowhere', async () => {
  expect(await here.end('two', 'enough')).toBe(true);
  expect(await here.end('three', 'enough')).toBe(false);
  expect(ended).toEqual(['two: enough']);
});

it('newer-question: one with a restriction that is not known here is answered with nothing', async () => {
  const answers = await both.here.ask({ find: { accountId: 'id-bob', newer: true } });
  expect(answers).toEqual([{ gateway: 'there', answer: undefined }]);
});

it('database-away: one’s own are found, and a sentence says that others may be missing', async () => {
  both.proxy.cut();
  await expect.poll(() => both.there.ask({}).catch(({ code }) => code)).toBe('store-unavailable');
  expect(await found(there)).toEqual(['two there', 'other gateways']);
  expect(await there.end('two', 'enough')).toBe(true);
  await expect(there.end('one', 'enough')).rejects.toMatchObject({ code: 'store-unavailable' });
  both.proxy.resume();
  await expect.poll(() => found(there)).toEqual(['two there', 'one here']);
});
