/** How throughput scales with those who use it: so many connections, each with one session that carries its part. */

import { type RunningPeer, sshArgs } from '../peers/peer.ts';
import type { Table } from '../report/table.ts';
import { openMaster } from '../support/open-master.ts';
import { transfer, type Way } from '../support/transfer.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const cipher = 'aes128-gcm@openssh.com';

async function openMany(peer: RunningPeer, most: number) {
  const args = [...sshArgs(peer, cipher), peer.host];
  const masters = await Promise.all(Array.from({ length: most }, () => openMaster(args)));
  /** MiB a second of all together. */
  const run = async (way: Way, many: number, mib: number) => {
    const begun = performance.now();
    await Promise.all(masters.slice(0, many).map((master) => transfer(master.args, way, mib / many)));
    return (mib * 1000) / (performance.now() - begun);
  };
  const stop = async () => void (await Promise.all(masters.map(({ close }) => close())));
  return { name: peer.name, stop, run };
}

async function run(bench: Bench): Promise<Table[]> {
  const counts = byLength(bench, { quick: [1, 2], usual: [1, 2, 4, 8], long: [1, 2, 4, 8, 16] });
  const mib = byLength(bench, { quick: 8, usual: 512, long: 2048 });
  return withRunning([bench.startBothWays], ([both]) => {
    if (!both) throw new Error('no container');
    const starts = [both.ours, both.theirs].map((peer) => () => openMany(peer, counts.at(-1) as number));
    return withRunning(starts, async (peers) => {
      const tables: Table[] = [];
      for (const way of ['down', 'up'] as const) {
        const contenders = counts.flatMap((many) =>
          peers.map(({ name, run }) => ({ name, at: many, run: () => run(way, many, mib) })),
        );
        tables.push({
          id: `sessions-${way}`,
          title: `Sessions of several connections at once, ${way}`,
          unit: 'MiB/s',
          better: 'more',
          along: 'connections',
          method: `All together, aes128-gcm, in the same container; ${mib} MiB are split among them. The clients run on the same processors.`,
          rows: rowsOf(await inTurns(bench, `sessions ${way}`, contenders), (rate) => rate),
        });
      }
      return tables;
    });
  });
}

export const manyStreams: Measure = { name: 'many-streams', run };
