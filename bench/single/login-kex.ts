/**
 * What a post-quantum login costs: the gateway's own CPU time (user and system, /proc/PID/stat, 10 ms ticks) per login with
 * mlkem768x25519-sha256 beside curve25519-sha256, the client being OpenSSH's newest. Bar: ≤ 1.6.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureNewerPackages, newer } from '../../test/support/setup/newer-packages.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { median } from '../support/measure.ts';

const run = promisify(execFile);
const bar = 1.6;
const rounds = Number(process.env['ROUNDS'] ?? 7);
const loginsPerRound = 40;
const tickMs = 10;
ensureNewerPackages();
const gateway = await startGatewayProcess();

const cpuTicks = () => {
  const fields = readFileSync(`/proc/${gateway.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
};

async function cpuMsPerLogin(kex: string): Promise<number> {
  const before = cpuTicks();
  for (let n = 0; n < loginsPerRound; n++) {
    await run(join(newer.openssh, 'ssh'), [
      ...gateway.sshArgs,
      '-o',
      `KexAlgorithms=${kex}`,
      'x@127.0.0.1',
      'version',
    ]);
  }
  return ((cpuTicks() - before) * tickMs) / loginsPerRound;
}

try {
  const quantum: number[] = [];
  const classical: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const [one, two] = [
      await cpuMsPerLogin('mlkem768x25519-sha256'),
      await cpuMsPerLogin('curve25519-sha256'),
    ];
    if (round < 0) continue;
    quantum.push(one);
    classical.push(two);
  }
  const [ours, theirs] = [quantum, classical].map((times) => median(times.sort((a, b) => a - b))) as [
    number,
    number,
  ];
  const ratio = ours / theirs;
  console.log('\nCPU of the gateway per login');
  console.log(
    `  mlkem768x25519-sha256  median ${ours.toFixed(1)} ms\n  curve25519-sha256      median ${theirs.toFixed(1)} ms`,
  );
  console.log(`  ratio ${ratio.toFixed(2)}, bar ≤ ${bar}: ${ratio <= bar ? 'kept' : 'MISSED'}`);
  if (ratio > bar) process.exitCode = 1;
} finally {
  gateway.stop();
}
