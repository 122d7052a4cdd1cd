/** Logins: how many a second, how long one takes, what each costs the server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asyncssh } from '../peers/asyncssh.ts';
import { dropbear } from '../peers/dropbear.ts';
import { go } from '../peers/go.ts';
import { openssh } from '../peers/openssh.ts';
import type { Peer, RunningPeer } from '../peers/peer.ts';
import { hasWorkers, postern, posternWith } from '../peers/postern.ts';
import { tinysshd } from '../peers/tinysshd.ts';
import { quantile, type Table } from '../report/table.ts';
import { timeLogins } from '../support/go-clients.ts';
import { cpuMsOf } from '../support/process-tree.ts';
import { type Bench, byLength, inTurns, type Measure, type Outcome, rowsOf, withRunning } from './measure.ts';

export const allPeers = (): readonly Peer[] => [
  ...(hasWorkers() ? [posternWith(1), posternWith(2)] : [postern]),
  openssh,
  dropbear,
  tinysshd,
  asyncssh,
  go,
];

interface Logins {
  readonly perSecond: number;
  readonly timesMs: readonly number[];
  readonly cpuMsEach: number;
}

/** For what the server does after the last login to be over, and its processes to be waited for. */
const settleMs = 150;

async function logIn(peer: RunningPeer, parallel: number, seconds: number): Promise<Logins> {
  const before = cpuMsOf(peer.pid);
  const { elapsedMs, timesMs } = await timeLogins(peer, { parallel, seconds });
  await sleep(settleMs);
  const cpuMsEach = (cpuMsOf(peer.pid) - before) / timesMs.length;
  return {
    perSecond: (timesMs.length * 1000) / elapsedMs,
    timesMs: timesMs.toSorted((a, b) => a - b),
    cpuMsEach,
  };
}

const login =
  'A login: TCP, key exchange (curve25519), the key offered, signed and verified. The client is Go’s x/crypto/ssh';

function tablesOf(outcomes: readonly Outcome<Logins>[]): Table[] {
  const latency = (part: number) => rowsOf(outcomes, ({ timesMs }) => quantile(timesMs, part));
  return [
    {
      id: 'logins',
      title: 'Logins a second',
      unit: '/s',
      better: 'more',
      along: 'logins in parallel',
      method: `${login}, on the same processors as the server. dropbear takes five at once from one address, so no more than four were tried.`,
      rows: rowsOf(outcomes, ({ perSecond }) => perSecond),
    },
    {
      id: 'login-cpu',
      title: 'Processor time of the server for each login',
      unit: 'ms',
      better: 'less',
      along: 'logins in parallel',
      method: 'User and system time of all its processes, those that have ended too (/proc/PID/stat).',
      rows: rowsOf(outcomes, ({ cpuMsEach }) => cpuMsEach),
    },
    {
      id: 'login-p50',
      title: 'Login, from connect to success: p50',
      unit: 'ms',
      better: 'less',
      along: 'logins in parallel',
      method: `${login}. The median of each round.`,
      rows: latency(0.5),
    },
    {
      id: 'login-p99',
      title: 'Login, from connect to success: p99',
      unit: 'ms',
      better: 'less',
      along: 'logins in parallel',
      method: 'As p50; the 99th percentile of each round.',
      rows: latency(0.99),
    },
  ];
}

async function run(bench: Bench): Promise<Table[]> {
  const seconds = byLength(bench, { quick: 0.1, usual: 1, long: 4 });
  const parallels = byLength(bench, { quick: [1, 8], usual: [1, 8, 64], long: [1, 4, 8, 16, 64] });
  const peers = allPeers();
  const starts = peers.map((peer) => () => peer.start(bench.key));
  return withRunning(starts, async (running) => {
    const contenders = parallels.flatMap((parallel) =>
      running.map((peer, index) => ({
        name: peers[index]?.name as string,
        at: parallel,
        run: () => logIn(peer, Math.min(parallel, peers[index]?.mostStartups ?? parallel), seconds),
      })),
    );
    return tablesOf(await inTurns(bench, 'logins', contenders));
  });
}

export const logins: Measure = { name: 'logins', run };
