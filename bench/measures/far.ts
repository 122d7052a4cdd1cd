/** One stream over a way of 100 ms, there and back. */
import { type RunningPeer, sshArgs } from '../peers/peer.ts';
import type { Table } from '../report/table.ts';
import { startDelay } from '../support/go-clients.ts';
import { openMaster } from '../support/open-master.ts';
import { transfer, type Way } from '../support/transfer.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const eachWayMs = 50;

async function openFar(peer: RunningPeer, mib: number) {
  const delay = await startDelay(peer, eachWayMs);
  const far = { ...peer, host: '127.0.0.1', port: delay.port };
  const master = await openMaster([...sshArgs(far), far.host]);
  const stop = async () => {
    await master.close();
    await delay.stop();
  };
  return { name: peer.name, stop, run: (way: Way) => transfer(master.args, way, mib) };
}

async function run(bench: Bench): Promise<Table[]> {
  const mib = byLength(bench, { quick: 1, usual: 48, long: 256 });
  return withRunning([bench.startBothWays], ([both]) => {
    if (!both) throw new Error('no container');
    const starts = [both.ours, both.theirs].map((peer) => () => openFar(peer, mib));
    return withRunning(starts, async (streams) => {
      const contenders = (['down', 'up'] as const).flatMap((way) =>
        streams.map(({ name, run }) => ({ name, at: way, run: () => run(way) })),
      );
      const table = {
        id: 'far',
        title: 'One session over 100 ms of round trip',
        unit: 'MiB/s',
        better: 'more',
        method: `A proxy holds back every byte ${eachWayMs} ms each way and takes what comes, so SSH's own window is the limit: at most a window each round trip. Down it is the client's (2 MiB in OpenSSH), up the server's.`,
        rows: rowsOf(await inTurns(bench, '100 ms', contenders), (rate) => rate),
      } as const;
      return [table];
    });
  });
}

export const far: Measure = { name: 'far', run };
