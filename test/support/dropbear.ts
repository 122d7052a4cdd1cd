/** dropbear on a free loopback port, with host keys of its own making, which logs in whoever runs the tests. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './ssh-client.ts';
import { freePort } from './sshd.ts';

export interface Dropbear {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** With these flags beside what it needs to run. */
export async function startDropbear(flags: readonly string[]): Promise<Dropbear> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-dropbear-'));
  const port = await freePort();
  const keys = ['ed25519', 'ecdsa', 'rsa'].map((type) => ({ type, file: join(folder, type) }));
  for (const { type, file } of keys) await runProgram('dropbearkey', ['-t', type, '-f', file]);
  const own = ['-F', '-p', `127.0.0.1:${port}`, '-P', join(folder, 'pid')];
  const child = spawn('dropbear', [...own, ...keys.flatMap(({ file }) => ['-r', file]), ...flags], {
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
