/** Whose key is it? A login among more and more keys. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openssh, startOpenssh } from '../peers/openssh.ts';
import { makeFolder, type RunningPeer } from '../peers/peer.ts';
import { postern, startPostern } from '../peers/postern.ts';
import { spreadOf, type Table } from '../report/table.ts';
import { fillStore } from '../support/fill-store.ts';
import { timeLogins } from '../support/go-clients.ts';
import { pssBytesOf } from '../support/process-tree.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

/** sshd reads its file from the top at each login: among a million it takes seconds, which nobody needs seven times. */
const mostOfSshd = 100_000;

interface Counted {
  readonly count: number;
  readonly peer: RunningPeer;
  readonly startMs: number;
  readonly stop: () => Promise<void>;
}

async function startAmong(bench: Bench, folder: string, count: number): Promise<Counted> {
  bench.tell(`key look-up: ${count} keys at Postern`);
  const dataDir = join(folder, `data-${count}`);
  mkdirSync(dataDir);
  await fillStore(dataDir, count);
  const begun = performance.now();
  const peer = await startPostern(bench.key, { dataDir });
  return { count, peer, startMs: performance.now() - begun, stop: peer.stop };
}

async function startSshdAmong(bench: Bench, folder: string, count: number): Promise<Counted> {
  const file = join(folder, `keys-${count}`);
  writeFileSync(file, '');
  const blob = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');
  for (let left = count; left > 0; left -= 1_000) {
    const lines = Array.from({ length: Math.min(left, 1_000) }, (_, index) => {
      return `ssh-ed25519 ${Buffer.concat([blob, randomBytes(32)]).toString('base64')} somebody@laptop-${index}\n`;
    });
    appendFileSync(file, lines.join(''));
  }
  // Where it is found on average is the middle; a stranger's is looked for to the end.
  appendFileSync(file, readFileSync(`${bench.key}.pub`));
  const begun = performance.now();
  const peer = await startOpenssh(bench.key, file);
  return { count, peer, startMs: performance.now() - begun, stop: peer.stop };
}

async function measure(bench: Bench, folder: string): Promise<Table[]> {
  const counts = byLength(bench, {
    quick: [10],
    usual: [10, 1_000, 100_000, 1_000_000],
    long: [10, 100, 1_000, 10_000, 100_000, 1_000_000],
  });
  const starts = counts.flatMap((count) => [
    () => startAmong(bench, folder, count),
    ...(count <= mostOfSshd ? [() => startSshdAmong(bench, folder, count)] : []),
  ]);
  return withRunning(starts, async (running) => {
    const nameOf = ({ peer }: Counted) => (peer.name === openssh.name ? openssh.name : postern.name);
    const outcomes = await inTurns(
      bench,
      'key look-up',
      running.map((each) => ({
        name: nameOf(each),
        at: each.count,
        run: async () => {
          const { timesMs } = await timeLogins(each.peer, {
            parallel: 1,
            seconds: byLength(bench, { quick: 0, usual: 0.5, long: 0.5 }),
            'at-least': 2,
          });
          return spreadOf(timesMs).median;
        },
      })),
    );
    const gateways = running.filter((each) => nameOf(each) === postern.name);
    const once = (sample: (of: Counted) => number) =>
      gateways.map((each) => ({ name: postern.name, at: each.count, samples: [sample(each)] }));
    return [
      {
        id: 'key-lookup',
        title: 'A login among so many keys: p50',
        unit: 'ms',
        better: 'less',
        along: 'keys',
        method:
          'Postern finds a key by what it is; sshd reads authorized_keys from the top, here to its last line, at each login.',
        rows: rowsOf(outcomes, (ms) => ms),
      },
      {
        id: 'key-start',
        title: 'Start of Postern with so many keys',
        unit: 'ms',
        better: 'less',
        along: 'keys',
        method: 'From the program’s start until it listens, once.',
        rows: once(({ startMs }) => startMs),
      },
      {
        id: 'key-memory',
        title: 'Memory of Postern with so many keys',
        unit: 'MB',
        better: 'less',
        along: 'keys',
        method: 'PSS of all processes after the logins, garbage and all, once.',
        rows: once(({ peer }) => pssBytesOf(peer.pid) / 1e6),
      },
    ];
  });
}

async function run(bench: Bench): Promise<Table[]> {
  const folder = makeFolder('keys');
  try {
    return await measure(bench, folder.path);
  } finally {
    folder.remove();
  }
}

export const keyLookup: Measure = { name: 'key-lookup', run };
