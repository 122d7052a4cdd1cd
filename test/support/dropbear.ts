/** dropbear on a free loopback port, with host keys of its own making, which logs in whoever runs the tests: root. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type KeyPair, runProgram } from './ssh-client.ts';

export interface Dropbear {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** It lets these keys in. Its ~/.ssh is a folder of its own, for it knows no other place for them. */
export async function startDropbear(...letIn: readonly KeyPair[]): Promise<Dropbear> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-dropbear-'));
  const port = await freePort();
  const keys = ['ed25519', 'ecdsa', 'rsa'].map((type) => ({ type, file: join(folder, type) }));
  for (const { type, file } of keys) await runProgram('dropbearkey', ['-t', type, '-f', file]);
  const ssh = join(folder, 'ssh');
  await mkdir(ssh, { mode: 0o700 });
  // Of passwd, as dropbear has it, whatever HOME says.
  const place = join(userInfo().homedir, '.ssh');
  await mkdir(place, { recursive: true, mode: 0o700 });
  const lines = letIn.map(({ publicKey }) => `${publicKey}\n`).join('');
  await writeFile(join(ssh, 'authorized_keys'), lines, { mode: 0o600 });
  const mounted = 'mount --bind "$0" "$1" && shift && exec "$@"';
  const own = ['dropbear', '-F', '-p', `127.0.0.1:${port}`, '-P', join(folder, 'pid')];
  const command = [...own, ...keys.flatMap(({ file }) => ['-r', file])];
  const child = spawn('unshare', ['--mount', 'sh', '-c', mounted, ssh, place, ...command], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`dropbear did not start: ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    async stop() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
