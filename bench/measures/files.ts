/** Files by scp and sftp, into and out of a container. */
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder, type RunningPeer, sshArgs } from '../peers/peer.ts';
import type { Table } from '../report/table.ts';
import { startBenchContainer } from '../support/container.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const run = promisify(execFile);

type Transfer = (peer: RunningPeer, file: string) => Promise<unknown>;

const scp =
  (...options: readonly string[]) =>
  (peer: RunningPeer, from: string, to: string) =>
    run('scp', ['-q', ...options, ...sshArgs(peer), from, to]);

const at = ({ host }: RunningPeer, path: string) => `${host}:${path}`;
const place = '/tmp/bench-file';

async function sftp(peer: RunningPeer, file: string, line: string): Promise<void> {
  const batch = `${file}.batch`;
  writeFileSync(batch, `${line}\n`);
  await run('sftp', ['-q', '-b', batch, ...sshArgs(peer), peer.host]);
}

const transfers: Readonly<Record<string, Transfer>> = {
  'scp up': (peer, file) => scp()(peer, file, at(peer, place)),
  'scp down': (peer, file) => scp()(peer, at(peer, place), `${file}.back`),
  'sftp up': (peer, file) => sftp(peer, file, `put ${file} ${place}`),
  'sftp down': (peer, file) => sftp(peer, file, `get ${place} ${file}.back`),
  'scp -O up': (peer, file) => scp('-O')(peer, file, at(peer, place)),
  'scp -O down': (peer, file) => scp('-O')(peer, at(peer, place), `${file}.back`),
};

async function measure(bench: Bench): Promise<Table[]> {
  const mib = byLength(bench, { quick: 2, usual: 64, long: 512 });
  const folder = makeFolder('files');
  const startBare = async () => {
    const container = await startBenchContainer();
    return { ...container, stop: container.remove };
  };
  try {
    const file = join(folder.path, 'file');
    writeFileSync(file, randomFillSync(Buffer.alloc(mib * 1024 * 1024)));
    return await withRunning([bench.startBothWays], ([both]) =>
      withRunning([startBare], async ([bare]) => {
        if (!both || !bare) throw new Error('no containers');
        const served = { ...both.ours, name: 'Postern, in an image without sftp-server' };
        const peers = [both.ours, both.theirs, { ...served, user: `root+${bare.name}` }];
        const contenders = Object.entries(transfers).flatMap(([what, transfer]) =>
          peers.map((peer) => ({
            name: peer.name,
            at: what,
            run: async () => {
              const begun = performance.now();
              await transfer(peer, file);
              return (mib * 1000) / (performance.now() - begun);
            },
          })),
        );
        return [
          {
            id: 'files',
            title: 'One file',
            unit: 'MiB/s',
            better: 'more',
            method: `${mib} MiB of noise by OpenSSH's clients, with the login, as people wait for it. sshd runs inside the same container.`,
            rows: rowsOf(await inTurns(bench, 'files', contenders), (rate) => rate),
          } as const,
        ];
      }),
    );
  } finally {
    rmSync(folder.path, { recursive: true, force: true });
  }
}

export const files: Measure = { name: 'files', run: measure };
