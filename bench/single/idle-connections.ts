/**
 * 2,000 connections logged in and idle, then 200 logins a second for a minute beside them. Bars: 60 kB of the
 * gateway's resident memory for each that is idle; no login fails, and 99 of 100 take 250 ms at most.
 * It is one process without workers. Memory is VmRSS after two forced collections, less the same after 500 logins that have come and gone, when what is
 * loaded and compiled once is there. A login is what OpenSSH does (none, the key offered, the key signed), from when it
 * was due; the clients are processes of their own, whose part of the processors is told beside the gateway's.
 * CONNECTIONS, RATE (per second), SECONDS and CLIENTS (processes that log in) change what is measured.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { Done, Order } from '../support/light-clients.ts';

const connections = Number(process.env['CONNECTIONS'] ?? 2_000);
const rate = Number(process.env['RATE'] ?? 200);
const seconds = Number(process.env['SECONDS'] ?? 60);
const processes = Number(process.env['CLIENTS'] ?? 2);
const idleSeconds = 60;
const barBytes = 60_000;
const barMs = 250;

process.env['POSTERN_PER_SOURCE_MAX_STARTUPS'] = '10000';
process.env['POSTERN_MAX_STARTUPS'] = '{"start":10000,"ratePercent":100,"full":10000}';
// The one thing that is not as in production: a signal that collects.
const collect = 'process.on("SIGUSR2", () => { gc(); gc(); });';
process.env['NODE_OPTIONS'] = `--expose-gc --import=data:text/javascript,${encodeURIComponent(collect)}`;
const gateway = await startGatewayProcess(['--workers=0']);
delete process.env['NODE_OPTIONS'];
const key = (ssh2.utils.parseKey(readFileSync(join(gateway.folder, 'id'))) as ParsedKey).getPrivatePEM();

const startClients = () => fork(join(import.meta.dirname, '../support/light-clients.ts'));
type Clients = ReturnType<typeof startClients>;
const give = (clients: Clients, order: Order) =>
  new Promise<Done>((resolve, reject) => {
    clients.once('message', (done) => resolve(done as Done));
    clients.once('exit', () => reject(new Error('a process of clients ended')));
    clients.send(order);
  });
const told = { port: gateway.port, key };

async function residentBytes(): Promise<number> {
  // The connections that were closed are given up by then, and the pages that are free.
  await sleep(3_000);
  process.kill(gateway.pid, 'SIGUSR2');
  await sleep(3_000);
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** User and system time so far, by the clock's ticks of proc(5). */
function gatewayCpuMs(): number {
  const fields = readFileSync(`/proc/${gateway.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function tell(what: string, kept: boolean): void {
  console.log(`  ${what}: ${kept ? 'kept' : 'MISSED'}`);
  if (!kept) process.exitCode = 1;
}

const holder = startClients();
const loggers = Array.from({ length: processes }, startClients);
try {
  console.log(`\n${connections} idle connections, then ${rate} logins/s for ${seconds} s`);
  const [warm] = loggers as [Clients];
  await give(warm, { kind: 'logins', ...told, perSecond: 50, seconds: 10 });
  const before = await residentBytes();
  const { failures } = await give(holder, { kind: 'hold', ...told, count: connections });
  if (failures.length > 0) throw new Error(`${failures.length} could not log in: ${failures[0]}`);
  const each = ((await residentBytes()) - before) / connections;
  tell(`${(each / 1000).toFixed(1)} kB resident for each, bar ${barBytes / 1000}`, each <= barBytes);
  const idleFrom = gatewayCpuMs();
  await sleep(idleSeconds * 1000);
  const idleCpu = (gatewayCpuMs() - idleFrom) / (idleSeconds * 10);
  console.log(`  ${idleCpu.toFixed(2)} % of a processor while all are idle, over ${idleSeconds} s`);

  const busyFrom = gatewayCpuMs();
  const begun = performance.now();
  const order = { kind: 'logins', ...told, perSecond: rate / processes, seconds } as const;
  const done = await Promise.all(loggers.map((clients) => give(clients, order)));
  const tookMs = performance.now() - begun;
  const gatewayShare = ((gatewayCpuMs() - busyFrom) / tookMs) * 100;
  const clientShare = (done.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / tookMs) * 100;
  const times = done.flatMap(({ timesMs }) => timesMs).sort((a, b) => a - b);
  const failed = done.flatMap((each) => each.failures);
  const at = (part: number) => times[Math.ceil(times.length * part) - 1] ?? Number.POSITIVE_INFINITY;
  console.log(
    `  ${times.length} logins in ${(tookMs / 1000).toFixed(1)} s; of a processor, the gateway took ${gatewayShare.toFixed(0)} %, the clients ${clientShare.toFixed(0)} %`,
  );
  tell(`${failed.length} failed${failed[0] ? ` (${failed[0]})` : ''}, bar 0`, failed.length === 0);
  const p99 = at(0.99);
  tell(`p50 ${at(0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, bar ${barMs}`, p99 <= barMs);
  const { lost } = await give(holder, { kind: 'hold', ...told, count: 0 });
  tell(`${lost} of the idle ones lost, bar 0`, lost === 0);
} finally {
  for (const clients of [holder, ...loggers]) clients.disconnect();
  gateway.stop();
}
