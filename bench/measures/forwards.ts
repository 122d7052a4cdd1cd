/** `ssh -L` to a server on the container's loopback. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { freePort } from '../../test/support/free-port.ts';
import { goProgram } from '../peers/go.ts';
import { type RunningPeer, sshArgs } from '../peers/peer.ts';
import type { Table } from '../report/table.ts';
import { answering } from '../support/answering.ts';
import { endClient } from '../support/end-client.ts';
import { pour } from '../support/go-clients.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const ciphers = ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] as const;
const behind = 7000;

async function openForward(peer: RunningPeer, cipher: string) {
  const port = await freePort();
  const forward = ['-N', '-o', 'ExitOnForwardFailure=yes', '-L', `127.0.0.1:${port}:127.0.0.1:${behind}`];
  const child: ChildProcess = spawn('ssh', [...forward, ...sshArgs(peer, cipher), peer.host], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await answering(port);
  return { name: peer.name, cipher, port, stop: () => endClient(child) };
}

async function run(bench: Bench): Promise<Table[]> {
  const mib = byLength(bench, { quick: 4, usual: 256, long: 1024 });
  return withRunning([bench.startBothWays], ([both]) => {
    if (!both) throw new Error('no container');
    const { name } = both.container;
    execFileSync('docker', ['cp', '-q', goProgram(), `${name}:/pourer`]);
    execFileSync('docker', ['exec', '-d', name, '/pourer', 'pourer', '-listen', `127.0.0.1:${behind}`]);
    const starts = ciphers.flatMap((cipher) =>
      [both.ours, both.theirs].map((peer) => () => openForward(peer, cipher)),
    );
    return withRunning(starts, async (forwards) => {
      const tables: Table[] = [];
      for (const way of ['down', 'up'] as const) {
        const contenders = forwards.map(({ name, cipher, port }) => ({
          name,
          at: cipher,
          run: async () => (mib * 1000) / (await pour(port, way, mib * 1024 * 1024)),
        }));
        tables.push({
          id: `forward-${way}`,
          title: `One connection by ssh -L, ${way}`,
          unit: 'MiB/s',
          better: 'more',
          method: 'To a server on the loopback of the container; sshd runs inside the same.',
          rows: rowsOf(await inTurns(bench, `-L ${way}`, contenders), (rate) => rate),
        });
      }
      return tables;
    });
  });
}

export const forwards: Measure = { name: 'forwards', run };
