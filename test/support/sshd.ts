/** OpenSSH's own server on a free loopback port, which logs in whoever runs the tests. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { makeKeyPair, type SshTarget, writeKnownHosts } from './ssh-client.ts';

export interface Sshd extends SshTarget {
  /** What it has logged so far. */
  readonly logged: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

interface SshdOptions {
  /** Loopback addresses to listen at, the same port at each. Default: 127.0.0.1. */
  readonly addresses?: readonly string[];
  /** Users beside those of the machine: with a shell, and with the rights of nobody. */
  readonly users?: readonly string[];
}

/** With these lines of sshd_config beside what it needs to run. */
export async function startSshd(
  lines: readonly string[],
  { addresses = ['127.0.0.1'], users = [] }: SshdOptions = {},
): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-sshd-'));
  const hostKey = await makeKeyPair();
  await mkdir('/run/sshd', { recursive: true });
  const port = await freePort();
  const own = [
    ...addresses.map((address) => `ListenAddress ${address}:${port}`),
    `HostKey ${hostKey.file}`,
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'PidFile none',
  ];
  await writeFile(join(folder, 'config'), [...own, ...lines, ''].join('\n'));
  const log = join(folder, 'log');
  const command = ['/usr/sbin/sshd', '-D', '-f', join(folder, 'config'), '-E', log];
  const [program = '', ...args] = users.length === 0 ? command : await withUsers(folder, users, command);
  const child = spawn(program, args, { stdio: 'ignore' });
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

async function withUsers(folder: string, users: readonly string[], command: readonly string[]) {
  const rows = users.map((name) => `${name}:x:65534:65534::/tmp:/bin/sh\n`);
  const passwd = join(folder, 'passwd');
  await writeFile(passwd, [await readFile('/etc/passwd', 'utf8'), ...rows].join(''));
  return ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/passwd && exec "$@"', passwd, ...command];
}
