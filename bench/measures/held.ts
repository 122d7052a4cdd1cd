/** Thousands of idle connections: what they cost together, and whether a login beside them takes longer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { go } from '../peers/go.ts';
import { openssh } from '../peers/openssh.ts';
import type { RunningPeer } from '../peers/peer.ts';
import { postern, startPostern } from '../peers/postern.ts';
import { type Row, spreadOf, type Table } from '../report/table.ts';
import { type Holder, startHolder, timeLogins } from '../support/go-clients.ts';
import { collectGarbageOf, cpuMsOf, pssBytesOf } from '../support/process-tree.ts';
import { type Bench, byLength, inTurns, type Length, type Measure, withRunning } from './measure.ts';

interface Scene {
  /** Holds more and more of them. */
  readonly peer: RunningPeer;
  /** The same server, which holds none. */
  readonly empty: RunningPeer;
  readonly holder: Holder;
}

interface Held {
  readonly count: number;
  readonly pssMb: number;
  readonly idleCpuPercent: number;
  readonly loginMs: readonly number[];
  readonly loginEmptyMs: readonly number[];
}

async function idleCpuPercent(pid: number, seconds: number): Promise<number> {
  const before = cpuMsOf(pid);
  await sleep(seconds * 1000);
  return (cpuMsOf(pid) - before) / (seconds * 10);
}

async function holdAndLogIn(bench: Bench, { peer, empty, holder }: Scene, count: number): Promise<Held> {
  bench.tell(`held: ${count} at ${peer.name}`);
  await holder.hold(count);
  const settleMs = byLength(bench, { quick: 50, usual: 1_000, long: 1_000 });
  await sleep(settleMs);
  collectGarbageOf(peer.pid);
  await sleep(settleMs);
  const pssMb = pssBytesOf(peer.pid) / 1e6;
  const idle = await idleCpuPercent(peer.pid, byLength(bench, { quick: 0.1, usual: 8, long: 600 }));
  const median = (at: RunningPeer) => async () =>
    spreadOf(
      (
        await timeLogins(at, {
          parallel: 1,
          seconds: byLength(bench, { quick: 0, usual: 0.5, long: 0.5 }),
          'at-least': 5,
        })
      ).timesMs,
    ).median;
  const [held, without] = await inTurns(bench, `held: logins beside ${count}`, [
    { name: peer.name, at: count, run: median(peer) },
    { name: peer.name, at: 0, run: median(empty) },
  ]);
  const { lost } = await holder.hold(count);
  if (lost > 0) throw new Error(`${peer.name} lost ${lost} of ${count} idle connections`);
  return {
    count,
    pssMb,
    idleCpuPercent: idle,
    loginMs: held?.results ?? [],
    loginEmptyMs: without?.results ?? [],
  };
}

const counted: Readonly<Record<Length, readonly number[]>> = {
  quick: [20],
  usual: [1_000, 5_000, 10_000],
  long: [10_000],
};
/** With a process for each, more would not fit most machines. */
const mostOfProcesses = 1_000;

async function run(bench: Bench): Promise<Table[]> {
  const startGateway = () => startPostern(bench.key, { collectable: true });
  const contenders = [
    { name: postern.name, start: startGateway, counts: byLength(bench, counted) },
    { name: go.name, start: () => go.start(bench.key), counts: byLength(bench, counted) },
    {
      name: openssh.name,
      start: () => openssh.start(bench.key),
      counts: byLength(bench, counted).filter((count) => count <= mostOfProcesses),
    },
  ];
  const held: { readonly name: string; readonly results: readonly Held[] }[] = [];
  for (const { name, start, counts } of contenders) {
    await withRunning<RunningPeer, void>([start, start], async ([peer, empty]) => {
      if (!peer || !empty) throw new Error('not all have started');
      const holder = startHolder(peer, 8);
      try {
        const results: Held[] = [];
        for (const count of counts) results.push(await holdAndLogIn(bench, { peer, empty, holder }, count));
        held.push({ name, results });
      } finally {
        await holder.stop();
      }
    });
  }
  return tablesOf(held);
}

function tablesOf(held: readonly { readonly name: string; readonly results: readonly Held[] }[]): Table[] {
  const rows = (samples: (of: Held) => readonly number[]): Row[] =>
    held.flatMap(({ name, results }) =>
      results.map((result) => ({ name, at: result.count, samples: samples(result) })),
    );
  const along = 'connections held';
  return [
    {
      id: 'held-login',
      title: 'A login beside idle connections, of one without any',
      unit: '×',
      better: 'less',
      along,
      method:
        'p50 of a login, over that of the same server beside it that holds none, asked in turns. Keepalives are as each server has them (Postern: every 30 s).',
      rows: rows(({ loginMs, loginEmptyMs }) => {
        const { median } = spreadOf(loginEmptyMs);
        return loginMs.map((ms) => ms / median);
      }),
    },
    {
      id: 'held-memory',
      title: 'Memory with idle connections',
      unit: 'MB',
      better: 'less',
      along,
      method: 'PSS of all processes of the server, read once.',
      rows: rows(({ pssMb }) => [pssMb]),
    },
    {
      id: 'held-cpu',
      title: 'Processor while all are idle',
      unit: '%',
      better: 'less',
      along,
      method: 'Of one core, keepalives included, over 8 s (600 s with --long), once.',
      rows: rows(({ idleCpuPercent }) => [idleCpuPercent]),
    },
  ];
}

export const held: Measure = { name: 'held', run };
