/** OpenSSH's sshd on a free loopback port, as root for root, to be measured beside us. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sshArgs } from './gateway-process.ts';

export interface OpensshServer {
  readonly port: number;
  /** The private key that it lets in. */
  readonly key: string;
  readonly knownHosts: string;
  readonly sshArgs: readonly string[];
  readonly stop: () => void;
}

export async function startOpensshServer(): Promise<OpensshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sshd-'));
  const hostKey = join(folder, 'host');
  const key = join(folder, 'id');
  for (const file of [hostKey, key])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${key}.pub`));
  writeFileSync(
    join(folder, 'config'),
    `ListenAddress 127.0.0.1:${port}\nHostKey ${hostKey}\nAuthorizedKeysFile ${folder}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPidFile none\n`,
  );
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', join(folder, 'config')], { stdio: 'inherit' });
  await answering(port);
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`);
  return {
    port,
    key,
    knownHosts,
    sshArgs: sshArgs({ port, key, knownHosts }),
    stop: () => {
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** sshd takes no port 0: this one is free now, and taken in a moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error('sshd does not answer');
}
