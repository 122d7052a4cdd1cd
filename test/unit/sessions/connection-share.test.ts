/** What an account's connections cost the supervisor, and that they are bounded all the same. */
import pino from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createAudit } from '../../../src/audit/audit.ts';
import { createSlots } from '../../../src/platform/slots.ts';
import { addWithinShare } from '../../../src/sessions/connection-share.ts';
import type { LiveConnection } from '../../../src/sessions/connections.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';
import { identity } from '../../support/session-io.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Two workers on one count of slots. */
function world(maxConnectionsPerAccount: number) {
  const slots = createSlots();
  let questions = 0;
  const counted = {
    take: (name: string, limit: number) => {
      questions++;
      return slots.take(name, limit);
    },
  };
  const workers = [0, 1].map(() => {
    const connections = createConnections();
    const shared = {
      config: { maxConnections: 1_000_000, maxConnectionsPerAccount },
      connections,
      slots: counted,
      audit: createAudit(),
      log: pino({ level: 'silent' }),
    };
    const add = addWithinShare(shared, connections.addConnection);
    return { connections, open: () => openOn(add) };
  });
  return { workers, questions: () => questions };
}

function openOn(add: (connection: LiveConnection) => () => void) {
  let isOpen = true;
  const close = () => {
    if (isOpen) remove();
    isOpen = false;
  };
  const connection = { id: String(Math.random()), identity, openedAt: '', close };
  const remove = add(connection);
  return close;
}

const settled = () => vi.advanceTimersByTimeAsync(0);
const sum = (workers: ReturnType<typeof world>['workers']) =>
  workers.reduce((all, { connections }) => all + connections.listConnections().length, 0);

it('connections-by-both: an account has what it may have, of both workers together', async () => {
  const { workers } = world(3);
  for (let n = 0; n < 6; n++) {
    workers[n % 2]?.open();
    await settled();
  }
  expect(sum(workers)).toBe(3);
});

it('connections-at-once: many that come before the first answer are bounded, too', async () => {
  const { workers, questions } = world(6_400);
  for (let n = 0; n < 9_000; n++) workers[n % 2]?.open();
  await settled();
  expect(sum(workers)).toBe(6_400);
  expect(questions()).toBe(90);
});

it('logins one after the other are one question', async () => {
  const { workers, questions } = world(5_000);
  for (let n = 0; n < 500; n++) {
    workers[0]?.open()();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(questions()).toBe(1);
});

it('what nobody needs any more is given back', async () => {
  const { workers } = world(6_400);
  const [one, other] = workers;
  const all = Array.from({ length: 6_400 }, () => one?.open());
  await settled();
  other?.open();
  await settled();
  expect(sum(workers)).toBe(6_400);
  for (const close of all) close?.();
  await vi.advanceTimersByTimeAsync(20_000);
  for (let n = 0; n < 6_400; n++) other?.open();
  await settled();
  expect(sum(workers)).toBe(6_400);
});
