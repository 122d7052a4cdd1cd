/**
 * 512 MiB up and down by cat, scp and sftp, beside OpenSSH's sshd with its own sftp-server inside the same
 * container. Bars, of its throughput: at least 0.9 where the image has an sftp-server, 0.6 where the gateway
 * serves (a busybox image). Resident memory is the gateway's highest during all of it.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startBenchContainer } from '../support/container.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave, type Measured, report } from '../support/measure.ts';
import { pssBytesOf } from '../support/process-tree.ts';
import { startSshdContainer } from '../support/sshd-container.ts';

const run = promisify(execFile);
const mib = Number(process.env['MIB'] ?? 512);
const rounds = Number(process.env['ROUNDS'] ?? 5);
const only = process.argv[2] ?? '';

const busybox = await startBenchContainer();
const debian = await startSshdContainer();
const gateway = await startGatewayProcess();
const file = join(gateway.folder, 'file');

interface Place {
  readonly name: string;
  readonly args: readonly string[];
  readonly host: string;
}

const places: readonly Place[] = [
  { name: 'the gateway, with an sftp-server', args: gateway.sshArgs, host: `root+${debian.name}@127.0.0.1` },
  { name: 'the gateway, without one', args: gateway.sshArgs, host: `root+${busybox.name}@127.0.0.1` },
  { name: 'sshd in the container', args: debian.sshArgs, host: `root@${debian.address}` },
];

type Way = (place: Place) => Promise<unknown>;
const forScp = (args: readonly string[]) => args.map((each) => (each === '-p' ? '-P' : each));
const shell = (script: string, ...args: readonly string[]) => run('sh', ['-c', script, 'sh', file, ...args]);
const sftp = (line: string): Way => {
  const batch = join(gateway.folder, `batch-${line.split(' ')[0]}`);
  writeFileSync(batch, `${line}\n`);
  return ({ args, host }) => run('sftp', ['-q', '-b', batch, ...forScp(args), host]);
};
const ways: readonly (readonly [string, Way])[] = [
  [
    'up by cat',
    ({ args, host }) => shell('f=$1; shift; exec ssh "$@" "cat >/tmp/file" <"$f"', ...args, host),
  ],
  [
    'down by cat',
    ({ args, host }) => shell('f=$1; shift; exec ssh "$@" "cat /tmp/file" >"$f.back"', ...args, host),
  ],
  ['up by scp', ({ args, host }) => run('scp', ['-q', ...forScp(args), file, `${host}:/tmp/file`])],
  [
    'down by scp',
    ({ args, host }) => run('scp', ['-q', ...forScp(args), `${host}:/tmp/file`, `${file}.back`]),
  ],
  ['up by sftp', sftp(`put ${file} /tmp/file`)],
  ['down by sftp', sftp(`get /tmp/file ${file}.back`)],
  ['up by scp -O', ({ args, host }) => run('scp', ['-O', '-q', ...forScp(args), file, `${host}:/tmp/file`])],
  [
    'down by scp -O',
    ({ args, host }) => run('scp', ['-O', '-q', ...forScp(args), `${host}:/tmp/file`, `${file}.back`]),
  ],
];

let peakMib = 0;
const timer = setInterval(() => {
  peakMib = Math.max(peakMib, pssBytesOf(gateway.pid) / 1024 / 1024);
}, 50);
try {
  await run('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', `count=${mib}`]);
  for (const [what, way] of ways.filter(([name]) => name.includes(only))) {
    const contenders = places.map((place) => ({
      name: place.name,
      run: async () => void (await way(place)),
    }));
    const [withServer, without, sshd] = (await interleave(contenders, rounds)) as [
      Measured,
      Measured,
      Measured,
    ];
    report(`${mib} MiB ${what}`, [withServer, sshd], 1 / 0.9);
    report(`${mib} MiB ${what}, where the gateway serves`, [without, sshd], 1 / 0.6);
    if (what.startsWith('down')) await run('cmp', [file, `${file}.back`]);
  }
  console.log(`  resident at most ${peakMib.toFixed(0)} MiB`);
} finally {
  clearInterval(timer);
  gateway.stop();
  busybox.remove();
  debian.remove();
}
