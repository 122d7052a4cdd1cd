/** OpenSSH's sshd on a free loopback port, as root for root, to be measured beside us. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { answering } from './answering.ts';
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
