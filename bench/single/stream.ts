/**
 * 1 GiB through `ssh rexec-web cat`, up and down at once: same hash, and the gateway's resident memory.
 * Memory is the proportional set size of all the gateway's processes, read every 50 ms during the transfer; idle
 * is the median of 20 readings after one warm-up session. Bar: never more than 150 MB above idle.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBenchContainer } from '../support/container.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { median } from '../support/measure.ts';
import { pssBytesOf } from '../support/process-tree.ts';

const totalMib = Number(process.env['MIB'] ?? 1024);
const barMib = 150;
const chunk = randomBytes(1024 * 1024);

const residentMib = ({ pid }: GatewayProcess) => pssBytesOf(pid) / 1024 / 1024;

/** Sends `mib` through `cat` in the container and resolves with both hashes. */
async function transfer(
  gateway: GatewayProcess,
  name: string,
  mib: number,
): Promise<{ sent: string; received: string }> {
  const child = spawn('ssh', [...gateway.sshArgs, `rexec-${name}@127.0.0.1`, 'cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const sent = createHash('sha256');
  const received = createHash('sha256');
  child.stdout.on('data', (data: Buffer) => received.update(data));
  const closed = new Promise((resolve) => child.once('close', resolve));
  for (let n = 0; n < mib; n++) {
    sent.update(chunk);
    if (!child.stdin.write(chunk)) await new Promise((resolve) => child.stdin.once('drain', resolve));
  }
  child.stdin.end();
  await closed;
  return { sent: sent.digest('hex'), received: received.digest('hex') };
}

const container = await startBenchContainer();
const gateway = await startGatewayProcess();
try {
  await transfer(gateway, container.name, 1);
  const idle: number[] = [];
  for (let n = 0; n < 20; n++) {
    idle.push(residentMib(gateway));
    await sleep(50);
  }
  const idleMib = median(idle.sort((a, b) => a - b));
  let peakMib = 0;
  const timer = setInterval(() => {
    peakMib = Math.max(peakMib, residentMib(gateway));
  }, 50);
  const started = Date.now();
  const { sent, received } = await transfer(gateway, container.name, totalMib);
  clearInterval(timer);
  const seconds = (Date.now() - started) / 1000;
  const above = peakMib - idleMib;
  console.log(
    `\n${totalMib} MiB through ssh cat, both ways at once: ${(totalMib / seconds).toFixed(0)} MiB/s each way`,
  );
  console.log(`  hash ${sent === received ? 'identical' : 'DIFFERENT'}`);
  console.log(
    `  resident: idle ${idleMib.toFixed(0)} MiB, peak ${peakMib.toFixed(0)} MiB, above idle ${above.toFixed(0)} MiB, bar ≤ ${barMib}: ${above <= barMib ? 'kept' : 'MISSED'}`,
  );
  if (sent !== received || above > barMib) process.exitCode = 1;
} finally {
  gateway.stop();
  container.remove();
}
