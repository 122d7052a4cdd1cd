/**
 * 5,000 small files by `rsync -a`, up into an empty folder and once more with nothing changed, beside the same
 * through OpenSSH's sshd inside the same container. Bar: ≤ 1.2 of its time.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave, report } from '../support/measure.ts';
import { startSshdContainer } from '../support/sshd-container.ts';

const run = promisify(execFile);
const rounds = Number(process.env['ROUNDS'] ?? 7);
const container = await startSshdContainer();
const gateway = await startGatewayProcess();
const tree = join(gateway.folder, 'tree');
for (let n = 0; n < 50; n++) {
  mkdirSync(join(tree, String(n)), { recursive: true });
  for (let m = 0; m < 100; m++) writeFileSync(join(tree, `${n}/${m}`), `${n} ${m}\n`.repeat(100));
}
const rsync = async (args: readonly string[], to: string) => {
  await run('rsync', ['-a', '--delete', '-e', `ssh ${args.join(' ')}`, `${tree}/`, to]);
};
const contenders = (folder: () => string) => [
  {
    name: 'rsync through the gateway',
    run: () => rsync(gateway.sshArgs, `root+${container.name}@127.0.0.1:${folder()}`),
  },
  {
    name: 'rsync through sshd in the container',
    run: () => rsync(container.sshArgs, `root@${container.address}:${folder()}`),
  },
];
let made = 0;
try {
  report(
    '5,000 new files by rsync',
    await interleave(
      contenders(() => `/tmp/new${made++}`),
      rounds,
    ),
    1.2,
  );
  report(
    '5,000 files by rsync, none changed',
    await interleave(
      contenders(() => '/tmp/new0'),
      rounds,
    ),
    1.2,
  );
} finally {
  gateway.stop();
  container.remove();
}
