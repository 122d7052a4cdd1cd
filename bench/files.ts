/**
 * 256 MiB by sftp, up and down: into an image without an sftp-server, where the gateway serves, beside the
 * same into an image with one. Interleaved; bar: at least 0.6 of its throughput. Resident memory is the
 * gateway's highest during all of it.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startBenchContainer } from './support/container.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { interleave, report } from './support/measure.ts';

const run = promisify(execFile);
const mib = Number(process.env['MIB'] ?? 256);
const rounds = Number(process.env['ROUNDS'] ?? 5);
/** Of time: 0.6 of the throughput. */
const bar = 1 / 0.6;

const ours = await startBenchContainer();
const theirs = await startBenchContainer('postern-test/debian:latest');
const gateway = await startGatewayProcess();
const file = join(gateway.folder, 'file');
const sftp = async (name: string, line: string) => {
  const batch = join(gateway.folder, `batch-${name}`);
  const args = gateway.sshArgs.map((each) => (each === '-p' ? '-P' : each));
  await run('sh', ['-c', 'echo "$1" >"$2"', 'sh', line, batch]);
  await run('sftp', ['-q', '-b', batch, ...args, `rexec-${name}@127.0.0.1`]);
};
const contenders = (line: string) => [
  { name: "the gateway's, through busybox", run: () => sftp(ours.name, line) },
  { name: "the image's sftp-server, in Debian", run: () => sftp(theirs.name, line) },
];
let peakMib = 0;
const timer = setInterval(() => {
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'));
  peakMib = Math.max(peakMib, Number(rss?.[1]) / 1024);
}, 50);
try {
  await run('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', `count=${mib}`]);
  const up = await interleave(contenders(`put ${file} /tmp/file`), rounds);
  report(`${mib} MiB up by sftp`, up, bar);
  const down = await interleave(contenders(`get /tmp/file ${file}.back`), rounds);
  report(`${mib} MiB down by sftp`, down, bar);
  await run('cmp', [file, `${file}.back`]);
  console.log(`  resident at most ${peakMib.toFixed(0)} MiB`);
} finally {
  clearInterval(timer);
  gateway.stop();
  ours.remove();
  theirs.remove();
}
