/**
 * MIB (512) MiB by `cat` into a container and out of it over open ControlMasters: through the gateway, and by OpenSSH's
 * sshd inside the same container. The gateway is measured twice: by an exec of its own for each session, and as it
 * comes, by what it has prepared. Bar: at least 0.9 of sshd's throughput, both ways.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave } from '../support/measure.ts';
import { openMaster } from '../support/open-master.ts';
import { startSshdContainer } from '../support/sshd-container.ts';

const mib = Number(process.env['MIB'] ?? 512);
const rounds = Number(process.env['ROUNDS'] ?? 5);
const bar = 0.9;

async function ssh(args: readonly string[], command: string, input: string): Promise<void> {
  const child = spawn('sh', ['-c', `${input} ssh "$@" >/dev/null`, 'sh', ...args, command], {
    stdio: 'inherit',
  });
  const status = await new Promise((resolve) => child.once('exit', resolve));
  if (status !== 0) throw new Error(`ssh ended with ${status}`);
}

const container = await startSshdContainer();
const prepared = await startGatewayProcess();
process.env['POSTERN_PREPARED_IDLE_SECONDS'] = '0';
const plain = await startGatewayProcess();
const login = `rexec-${container.name}@127.0.0.1`;
const masters = {
  'the gateway': await openMaster([...prepared.sshArgs, login]),
  'the gateway, nothing prepared': await openMaster([...plain.sshArgs, login]),
  'sshd in the container': await openMaster([...container.sshArgs, `root@${container.address}`]),
};
try {
  for (let n = 0; n < 3; n++) await ssh(masters['the gateway'].args, 'true', '');
  await sleep(3_000);
  const ways = {
    down: (args: readonly string[]) => ssh(args, `head -c ${mib}M /dev/zero | cat`, ''),
    up: (args: readonly string[]) => ssh(args, 'cat >/dev/null', `head -c ${mib}M /dev/zero |`),
  };
  for (const [way, transfer] of Object.entries(ways)) {
    const contenders = Object.entries(masters).map(([name, { args }]) => ({
      name,
      run: () => transfer(args),
    }));
    const measured = await interleave(contenders, rounds);
    console.log(`\n${mib} MiB ${way}`);
    const theirs = measured.at(-1)?.medianMs ?? 0;
    for (const { name, medianMs } of measured) {
      const ratio = theirs / medianMs;
      console.log(
        `  ${name.padEnd(34)} ${((mib / medianMs) * 1000).toFixed(0).padStart(5)} MiB/s  ${ratio.toFixed(2)}`,
      );
    }
    const ratio = theirs / (measured[0]?.medianMs ?? Number.POSITIVE_INFINITY);
    console.log(`  bar ≥ ${bar}: ${ratio >= bar ? 'kept' : 'MISSED'}`);
    if (ratio < bar) process.exitCode = 1;
  }
} finally {
  for (const { close } of Object.values(masters)) await close();
  prepared.stop();
  plain.stop();
  container.remove();
}
