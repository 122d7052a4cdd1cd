/**
 * 100 clients killed at once in the middle of work: programs, floods both ways, uploads, forwards. Bars: none of their
 * processes is left in the container after 10 s, nothing of the gateway's (residents, spares, sidecars) after six
 * minutes, and the memory of its processes is back within 20 MB of before. MINUTES=0 leaves the wait for that out.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { pssBytesOf } from '../support/process-tree.ts';
import { startSshdContainer } from '../support/sshd-container.ts';

const clients = Number(process.env['CLIENTS'] ?? 100);
const minutes = Number(process.env['MINUTES'] ?? 6);
const barMib = 20;

process.env['POSTERN_PER_SOURCE_MAX_STARTUPS'] = '1000';
process.env['POSTERN_MAX_STARTUPS'] = '{"start":1000,"ratePercent":100,"full":1000}';
const container = await startSshdContainer();
const gateway = await startGatewayProcess();
const residentMib = () => pssBytesOf(gateway.pid) / 1024 / 1024;
const destination = `rexec-${container.name}@127.0.0.1`;

/** What one client does; the marker tells its programs from others. */
const works: readonly ((children: ChildProcess[]) => void)[] = [
  (children) => children.push(ssh([destination, 'sleep 98761 & sleep 98761'])),
  (children) => children.push(ssh([destination, 'exec -a flood-98761 yes'])),
  (children) => children.push(ssh([destination, 'cat >/dev/null; sleep 98761'], '/dev/zero')),
  (children) => children.push(ssh(['-tt', destination, 'sleep 98761'])),
  (children) => children.push(ssh(['-W', '127.0.0.1:22', destination])),
];
function ssh(args: readonly string[], input = '/dev/null'): ChildProcess {
  const command = ['-c', 'exec ssh "$@" >/dev/null 2>&1 <"$0"', input, ...gateway.sshArgs, ...args];
  return spawn('sh', command, { stdio: 'ignore' });
}
const theirs = () => Number(container.sh('ps axww -o args | grep -c "[9]8761" || true'));
const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();
const id = docker('inspect', '-f', '{{.Id}}', container.name).slice(0, 12);
const ours = () =>
  docker('ps', '-aq', '--filter', `name=postern-(sidecar|holder)-${id}`).split('\n').filter(Boolean).length +
  Number(container.sh('ps axww -o args | grep -cE "[r]esident\\.|[p]ostern_modes" || true'));
function tell(what: string, kept: boolean): void {
  console.log(`${what}: ${kept ? 'kept' : 'MISSED'}`);
  if (!kept) process.exitCode = 1;
}

async function round(): Promise<void> {
  const children: ChildProcess[] = [];
  for (let n = 0; n < clients; n++) works[n % works.length]?.(children);
  for (let tries = 0; theirs() < clients * 0.8 && tries < 60; tries++) await sleep(500);
  console.log(`${theirs()} processes of ${clients} clients, gateway at ${residentMib().toFixed(0)} MiB`);
  for (const child of children) child.kill('SIGKILL');
}

try {
  // Once for what is loaded and kept: buffers of the allocator, compiled code.
  await round();
  await sleep(10_000);
  const before = residentMib();
  await round();
  await sleep(10_000);
  tell(`left after 10 s: ${theirs()}, bar 0`, theirs() === 0);
  const until = Date.now() + Math.max(minutes * 60_000, 20_000);
  while (Date.now() < until && residentMib() > before + barMib) await sleep(1_000);
  const grown = residentMib() - before;
  tell(`memory: ${before.toFixed(0)} MiB and ${grown.toFixed(0)} MiB, bar ${barMib}`, grown <= barMib);
  if (minutes > 0) {
    while (Date.now() < until && ours() > 0) await sleep(2_000);
    tell(`of the gateway's own after ${minutes} minutes: ${ours()}, bar 0`, ours() === 0);
  }
} finally {
  gateway.stop();
  container.remove();
}
