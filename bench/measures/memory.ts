/** What a connection costs that is logged in and idle. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Peer, RunningPeer } from '../peers/peer.ts';
import { hasWorkers, postern, startPostern } from '../peers/postern.ts';
import type { Table } from '../report/table.ts';
import { startHolder, timeLogins } from '../support/go-clients.ts';
import { collectGarbageOf, pssBytesOf } from '../support/process-tree.ts';
import { allPeers } from './logins.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

/** Those that start a process for each connection need fewer of them to tell what one costs. */
const processEach: readonly string[] = ["OpenSSH's sshd", 'dropbear', 'tinysshd'];

interface Held {
  readonly counts: readonly number[];
  readonly bytes: readonly number[];
}

/** After what is closed is given up, and what nobody uses collected. */
async function settledPss(pid: number, settleMs: number): Promise<number> {
  await sleep(settleMs);
  collectGarbageOf(pid);
  await sleep(settleMs);
  return pssBytesOf(pid);
}

interface Plan {
  readonly counts: readonly number[];
  /** Logins before the first reading. */
  readonly warmUp: number;
  readonly settleMs: number;
}

async function hold(peer: RunningPeer, { counts, warmUp, settleMs }: Plan): Promise<Held> {
  // What is loaded and compiled once belongs to no connection.
  await timeLogins(peer, { parallel: 4, seconds: 0, 'at-least': Math.ceil(warmUp / 4) });
  const empty = await settledPss(peer.pid, settleMs);
  const holder = startHolder(peer, 4);
  try {
    const bytes: number[] = [];
    for (const count of counts) {
      await holder.hold(count);
      bytes.push((await settledPss(peer.pid, settleMs)) - empty);
    }
    return { counts, bytes };
  } finally {
    await holder.stop();
  }
}

function contenderOf(bench: Bench, { name, start }: Peer) {
  const counts = byLength(bench, { quick: [5, 10], usual: [250, 500, 1000], long: [1000, 2000, 4000] });
  const many = processEach.includes(name) ? counts.map((count) => Math.ceil(count / 10)) : counts;
  const warmUp = processEach.includes(name) ? 4 : byLength(bench, { quick: 4, usual: 400, long: 400 });
  const plan = { counts: many, warmUp, settleMs: byLength(bench, { quick: 50, usual: 600, long: 1_000 }) };
  const run = () => withRunning([() => start(bench.key)], ([peer]) => hold(peer as RunningPeer, plan));
  return { name, at: 'idle', run };
}

async function run(bench: Bench): Promise<Table[]> {
  const peers = allPeers()
    .filter(({ name }) => !name.startsWith(postern.name))
    .concat(
      (hasWorkers() ? [1, 2] : [undefined]).map((workers) => {
        const options = { collectable: true, ...(workers !== undefined && { workers }) };
        const name =
          workers === undefined
            ? postern.name
            : `${postern.name}, ${workers} worker${workers > 1 ? 's' : ''}`;
        return { ...postern, name, start: (key: string) => startPostern(key, options) };
      }),
    );
  const outcomes = await inTurns(
    // Each round starts its servers anew, and warms them up.
    { ...bench, length: 'quick' },
    'memory',
    peers.map((peer) => contenderOf(bench, peer)),
  );
  const last = ({ counts, bytes }: Held) => (bytes.at(-1) as number) / (counts.at(-1) as number) / 1000;
  const method =
    'PSS of all its processes (/proc/PID/smaps_rollup) with so many idle connections, less the same before them, after logins that have come and gone; Postern collects its garbage before each reading. Servers with a process for each connection hold a tenth as many.';
  return [
    {
      id: 'memory-each',
      title: 'Memory of an idle connection',
      unit: 'kB',
      better: 'less',
      method,
      rows: rowsOf(outcomes, last),
    },
    {
      id: 'memory',
      title: 'Memory of idle connections',
      unit: 'MB',
      better: 'less',
      along: 'idle connections',
      method,
      rows: outcomes.flatMap(({ name, results }) =>
        (results[0]?.counts ?? []).map((count, index) => ({
          name,
          at: count,
          samples: results.map(({ bytes }) => (bytes[index] as number) / 1e6),
        })),
      ),
    },
  ];
}

export const memory: Measure = { name: 'memory', run };
