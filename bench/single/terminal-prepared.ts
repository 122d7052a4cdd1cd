/**
 * One command with a terminal over an open ControlMaster, `ssh -tt rexec-web true`: by a spare beside the plain way
 * (preparedIdleSeconds 0). Bar ≤ 0.6.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startBenchContainer } from '../support/container.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave, report } from '../support/measure.ts';
import { openMaster } from '../support/open-master.ts';

const run = promisify(execFile);
const rounds = Number(process.env['ROUNDS'] ?? 31);
const container = await startBenchContainer('postern-test/debian:latest');
const withSpares = await startGatewayProcess();
process.env['POSTERN_PREPARED_IDLE_SECONDS'] = '0';
const gateways = [withSpares, await startGatewayProcess()];
const masters = await Promise.all(
  gateways.map(({ sshArgs }) => openMaster([...sshArgs, `rexec-${container.name}@127.0.0.1`])),
);
try {
  const open = async (at: number) => void (await run('ssh', ['-tt', ...(masters[at]?.args ?? []), 'true']));
  await open(0);
  await sleep(500);
  // Sessions of people are not a flood: the next spare is made meanwhile.
  const rest = { name: 'a pause', run: () => sleep(300) };
  const measured = await interleave(
    [
      { name: 'ssh -tt rexec-web true', run: () => open(0) },
      rest,
      { name: '… the plain way', run: () => open(1) },
      rest,
    ],
    rounds,
  );
  const compared = measured.filter(({ name }) => name !== rest.name);
  report('A terminal over an open connection', compared, 0.6);
} finally {
  for (const master of masters) await master.close();
  for (const gateway of gateways) gateway.stop();
  container.remove();
}
