/**
 * One command over an open ControlMaster, start to exit status: `ssh rexec-web true` beside the same with OpenSSH's
 * sshd inside the same container (bar ≤ 1.0) and beside `docker exec web true` (bar ≤ 0.3); the first again when WARM (600)
 * commands have run, for what has not run often, V8 has not compiled well; then eight at a time for SECONDS (60), bar ≥ 100 a
 * second. WARM=0 and SECONDS=0 leave these out.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave, report } from '../support/measure.ts';
import { openMaster } from '../support/open-master.ts';
import { startSshdContainer } from '../support/sshd-container.ts';

const run = promisify(execFile);
const rounds = Number(process.env['ROUNDS'] ?? 51);
const warm = Number(process.env['WARM'] ?? 600);
const seconds = Number(process.env['SECONDS'] ?? 60);
const barPerSecond = 100;

const container = await startSshdContainer();
const gateway = await startGatewayProcess();
const ours = await openMaster([...gateway.sshArgs, `rexec-${container.name}@127.0.0.1`]);
const theirs = await openMaster([...container.sshArgs, `root@${container.address}`]);
try {
  // What is prepared, is prepared at the second session.
  for (let n = 0; n < 3; n++) await run('ssh', [...ours.args, 'true']);
  await sleep(3_000);
  const through = {
    name: 'ssh rexec-web true',
    run: async () => void (await run('ssh', [...ours.args, 'true'])),
  };
  const sshd = {
    name: 'sshd in the container',
    run: async () => void (await run('ssh', [...theirs.args, 'true'])),
  };
  const exec = {
    name: 'docker exec web true',
    run: async () => void (await run('docker', ['exec', container.name, 'true'])),
  };
  const measured = await interleave([through, sshd, exec], rounds);
  report('A command over an open connection, beside sshd', measured, 1);
  report(
    '… beside docker exec',
    [measured[0], measured[2]].filter((each) => each !== undefined),
    0.3,
  );
  if (warm > 0) {
    for (let n = 0; n < warm; n++) await through.run();
    report(`… beside sshd again, ${warm} commands later`, await interleave([through, sshd], rounds), 1);
  }
  if (seconds > 0) {
    let done = 0;
    const until = Date.now() + seconds * 1000;
    const one = async () => {
      for (; Date.now() < until; done++) await through.run();
    };
    await Promise.all(Array.from({ length: 8 }, one));
    const rate = done / seconds;
    const kept = rate >= barPerSecond;
    console.log(
      `\nEight at a time for ${seconds} s: ${rate.toFixed(0)} a second, bar ≥ ${barPerSecond}: ${kept ? 'kept' : 'MISSED'}`,
    );
    if (!kept) process.exitCode = 1;
  }
} finally {
  await ours.close();
  await theirs.close();
  gateway.stop();
  container.remove();
}
