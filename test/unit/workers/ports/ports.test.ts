/** What is the gateway's, asked for by workers that are processes of their own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { searchAudit } from '../../../../src/audit/search-audit.ts';
import type { ListedPenalties } from '../../../../src/auth/gateway-penalties.ts';
import { recordingsFolder } from '../../../../src/recordings/recording-folder.ts';
import type { FoundSessions } from '../../../../src/sessions/session-directory.ts';
import {
  openPortsFolder,
  openPortsSupervisor,
  type PortsSupervisor,
  type PortsWorker,
  startPortsWorker,
} from '../../../support/ports-workers.ts';

let dataDir: string;
let supervisor: PortsSupervisor;
let one: PortsWorker;
let other: PortsWorker;
beforeEach(async () => {
  dataDir = await openPortsFolder();
  supervisor = await openPortsSupervisor(dataDir);
  [one, other] = await Promise.all([startPortsWorker(dataDir), startPortsWorker(dataDir)]);
  await Promise.all([one.ask('running'), other.ask('running')]);
});

it('slots are the gateway’s: what one worker took, the other does not get, until it is given or the worker killed', async () => {
  const asked = await Promise.all([one, other, one, other].map((worker) => worker.ask('take', 'alice', 2)));
  expect(asked.filter((isTaken) => isTaken)).toHaveLength(2);
  await one.ask('give');
  expect(await other.ask('take', 'alice', 2)).toBe(asked[0] || asked[2]);
  expect(await other.ask('take', 'bob', 2)).toBe(true);
  await other.kill(supervisor);
  expect(await one.ask('take', 'bob', 1)).toBe(true);
  expect(await supervisor.state.slots.take('alice', 2)).toBeDefined();
});

/** What it expects is nobody else's for a second, which is not over before `work` is. */
async function whileExpecting<Result>(worker: PortsWorker, work: () => Promise<Result>): Promise<Result> {
  await worker.ask('expect', 'alice', 1);
  worker.child.kill('SIGSTOP');
  return work().finally(() => worker.child.kill('SIGCONT'));
}

it('a slot that is expected is held, and taken by whoever comes for it there', async () => {
  expect(await whileExpecting(one, () => other.ask('take', 'alice', 1))).toBe(false);
  expect([await one.ask('take', 'alice', 1), await one.ask('take', 'alice', 1)]).toEqual([true, false]);
  await one.ask('give');
  expect(await other.ask('take', 'alice', 1)).toBe(true);
});

it('a slot that is expected, and that nobody comes for, is given back; so is one that was expected in vain', async () => {
  await other.ask('take', 'alice', 1);
  await one.ask('expect', 'alice', 1);
  await other.ask('give');
  expect(await one.ask('take', 'alice', 1)).toBe(true);
  await one.ask('give');
  expect(await whileExpecting(one, () => other.ask('take', 'alice', 1))).toBe(false);
  await expect.poll(() => other.ask('take', 'alice', 1)).toBe(true);
});

it('penalties count in every worker, and are listed and cleared from any', async () => {
  for (let time = 0; time < 4; time++) await one.ask('penalise', '192.0.2.7');
  expect([await other.ask('refuse', '192.0.2.7'), await other.ask('refuse', '192.0.2.8')]).toEqual([
    'authfail',
    null,
  ]);
  const { penalties, total, refused } = await one.ask<ListedPenalties>('listPenalties');
  expect([penalties[0]?.source, total, refused]).toEqual(['192.0.2.7', 1, 1]);
  expect(await other.ask('clear', '192.0.2.7')).toBe(true);
  expect(await one.ask('refuse', '192.0.2.7')).toBeNull();
  expect(await one.ask('clearAll')).toBe(0);
});

it('a key’s tokens have one rate, and pages one order, whichever worker is asked', async () => {
  expect([await one.ask('rate', 'k'), await other.ask('rate', 'k')]).toEqual([0, 0]);
  expect(await one.ask('rate', 'k')).toBeGreaterThan(0);
  await one.ask('order', 1, ['a', 'b']);
  expect(await other.ask('order', 2, ['b', 'c'])).toEqual(['a', 'b']);
});

it('a recording that a worker writes is removed by none, and by its death it is written no more', async () => {
  const id = 'abcdefghijklmnop';
  await mkdir(join(recordingsFolder(dataDir)), { recursive: true });
  expect(await one.ask('record', id)).toBeNull();
  expect(await other.ask('running')).toEqual([id]);
  await writeFile(join(recordingsFolder(dataDir), `2026-11-21T09-00-00.000Z_${id}.cast`), '{}');
  expect(await other.ask('removeRecording', id)).toBe(false);
  await one.kill(supervisor);
  expect(await other.ask('running')).toEqual([]);
});

/** On a busy machine, a worker may once be silent that is not stuck. */
const foundByOne = async () => {
  const { sessions, silent } = await one.ask<FoundSessions>('find');
  return [sessions.map(({ id }) => id), silent];
};

it('a session is listed and ended from any worker', async () => {
  await one.ask('begin', 's1');
  await other.ask('begin', 's2');
  await expect.poll(foundByOne).toEqual([['s1', 's2'], []]);
  expect(await one.ask('end', 's2', 'enough')).toBe(true);
  expect(await one.ask('end', 's3', 'enough')).toBe(false);
  await expect.poll(() => other.ended).toEqual(['enough']);
  expect(one.ended).toEqual([]);
});

it('stuck-worker: does not hold the list of sessions up, and is named', async () => {
  await one.ask('begin', 's1');
  await other.ask('begin', 's2');
  other.child.kill('SIGSTOP');
  const askedAtMs = performance.now();
  await foundByOne();
  // It would be asked for 30 s.
  expect(performance.now() - askedAtMs).toBeLessThan(10_000);
  await expect.poll(foundByOne).toEqual([['s1'], [`worker ${other.id}`]]);
});

it('what ran in a worker that was killed has its end in the audit', async () => {
  await one.ask('begin', 's1');
  await other.ask('begin', 's2');
  await one.kill(supervisor);
  await supervisor.state.auditLog.flush();
  const ended = await searchAudit(dataDir, { event: 'session-ended' }, 10);
  expect(ended.map(({ fields }) => fields)).toMatchObject([
    { sessionId: 's1', target: 'web', account: 'tester', end: { lost: 'its worker died' } },
  ]);
  const begun = await searchAudit(dataDir, { event: 'session-started' }, 10);
  expect(begun.map(({ fields }) => fields['sessionId']).toSorted()).toEqual(['s1', 's2']);
});

it('one page has what all processes count, and goes on to when one is gone', async () => {
  const started = async () => {
    const page = await supervisor.server.metrics?.page();
    return Number(/^postern_sessions_started_total\{.*\} (\d+)$/m.exec(page?.text ?? '')?.[1]);
  };
  for (const id of ['a', 'b']) await one.ask('begin', id);
  await other.ask('begin', 'c');
  expect(await started()).toBe(3);
  const { text } = (await supervisor.server.metrics?.page()) ?? { text: '' };
  expect(text).toMatch(/^postern_build_info\{.*\} 1$/m);
  expect(text).toMatch(/^postern_sessions_open\{kind="container"\} 3$/m);
  await one.kill(supervisor);
  expect(await started()).toBe(3);
});

it('a successor learns from each worker what it holds', async () => {
  await one.ask('take', 'alice', 1);
  await one.ask('record', 'abcdefghijklmnop');
  await one.ask('begin', 's1');
  await supervisor.listener.leave(5_000);
  const heard = Promise.withResolvers<void>();
  const successor = await openPortsSupervisor(dataDir, { ready: heard.promise });
  const isTaken = other.ask('take', 'alice', 1);
  await one.ask('running');
  heard.resolve();
  expect(await isTaken).toBe(false);
  expect(await other.ask('running')).toEqual(['abcdefghijklmnop']);
  await one.kill(successor);
  expect(await other.ask('take', 'alice', 1)).toBe(true);
  await successor.state.auditLog.flush();
  expect(await searchAudit(dataDir, { event: 'session-ended' }, 10)).toHaveLength(1);
});

it('a successor learns of thousands of slots, which are told in pieces', async () => {
  const many = 6_000;
  const takes = Array.from({ length: many }, () => one.ask('take', 'alice', many));
  expect((await Promise.all(takes)).every((isTaken) => isTaken)).toBe(true);
  await supervisor.listener.leave(5_000);
  const { state } = await openPortsSupervisor(dataDir);
  await one.ask('running');
  expect(await state.slots.take('alice', many)).toBeUndefined();
  expect(await state.slots.take('alice', many + 1)).toBeDefined();
});
