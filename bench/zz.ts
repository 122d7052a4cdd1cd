import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startGatewayProcess } from './support/gateway-process.ts';
import { openMaster, startContainerWithSshd } from './support/sshd-in-container.ts';

const run = promisify(execFile);
const container = await startContainerWithSshd();
const gateway = await startGatewayProcess();
const ours = await openMaster([...gateway.sshArgs, `rexec-${container.name}@127.0.0.1`]);
const theirs = await openMaster(container.sshArgs);
for (let n = 0; n < 3; n++) await run('ssh', [...ours.args, 'true']);
await sleep(2000);
const cpu = (pid: number) => {
  const f = readFileSync(`/proc/${pid}/stat','utf8`.replace("','utf8", ''), 'utf8')
    .split(') ')[1]!
    .split(' ');
  return (Number(f[11]) + Number(f[12])) * 10;
};
const pids = (
  await run('bash', [
    '-c',
    "pgrep -f 'sidecar/resident' ; pgrep -x dockerd; pgrep -f 'dockerd --host'; pgrep containerd",
  ])
).stdout
  .trim()
  .split('\n')
  .map(Number);
const names = new Map<number, string>();
for (const p of [gateway.pid, ...pids]) {
  try {
    names.set(p, readFileSync(`/proc/${p}/cmdline`, 'utf8').replace(/\0/g, ' ').slice(0, 50));
  } catch {}
}
for (const [n, m] of [
  ['ours', ours],
  ['sshd', theirs],
] as const) {
  const before = new Map([...names.keys()].map((p) => [p, cpu(p)]));
  let done = 0;
  const until = Date.now() + 8000;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (; Date.now() < until; done++) await run('ssh', [...m.args, 'true']);
    }),
  );
  console.log(
    n,
    done / 8,
    [...names]
      .map(([p, nm]) => {
        try {
          return `${nm}:${((cpu(p) - before.get(p)!) / done).toFixed(2)}ms`;
        } catch {
          return '';
        }
      })
      .filter((x) => !x.endsWith(':0.00ms'))
      .join('\n   '),
  );
}
ours.close();
theirs.close();
gateway.stop();
container.remove();
