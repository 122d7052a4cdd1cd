/** OpenSSH's own server on a free loopback port, which logs in whoever runs the tests. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeKeyPair, type SshTarget, writeKnownHosts } from './ssh-client.ts';

export interface Sshd extends SshTarget {
  /** What it has logged so far. */
  readonly logged: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** With these lines of sshd_config beside what it needs to run. */
export async function startSshd(lines: readonly string[]): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-sshd-'));
  const hostKey = await makeKeyPair();
  await mkdir('/run/sshd', { recursive: true });
  const port = await freePort();
  const own = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKey.file}`,
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'PidFile none',
  ];
  await writeFile(join(folder, 'config'), [...own, ...lines, ''].join('\n'));
  const log = join(folder, 'log');
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', join(folder, 'config'), '-E', log], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const logged = () => readFile(log, 'utf8').catch(() => '');
  while (!(await logged()).includes('Server listening')) {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${await logged()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    knownHosts: await writeKnownHosts(port, [hostKey.publicKey]),
    logged,
    async stop() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** sshd takes no port 0: this one is free now, and taken in a moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
