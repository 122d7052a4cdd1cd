/** A container with this machine's programs in it, and OpenSSH's sshd beside what the gateway does there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomId } from '../../src/platform/ids.ts';
import { runLabel } from '../../test/support/engine.ts';
import { ensureImages } from '../../test/support/images.ts';
import { answering } from './answering.ts';
import { sshArgs } from './gateway-process.ts';

export interface SshdContainer {
  readonly name: string;
  /** For ssh to its sshd, as root; destination and command follow. */
  readonly sshArgs: readonly string[];
  readonly address: string;
  /** The private key that it lets in. */
  readonly key: string;
  /** As root, beside both. */
  readonly sh: (script: string) => string;
  readonly inspect: (format: string) => string;
  readonly remove: () => void;
}

const port = 22;

/** The Debian image with this machine's /usr in place of its own, so that sshd, rsync and python3 are there. */
export async function startSshdContainer(): Promise<SshdContainer> {
  await ensureImages();
  const name = `bench-${randomId(6)}`;
  const folder = mkdtempSync(join(tmpdir(), 'postern-sshd-'));
  const [key, hostKey] = [join(folder, 'id'), join(folder, 'host')];
  for (const file of [key, hostKey])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();
  const run = `${runLabel}=${process.env['TEST_RUN_ID'] ?? ''}`;
  const options = ['--label', 'postern.test=1', '--label', run, '-v', '/usr:/usr:ro'];
  docker('run', '-d', '--name', name, ...options, 'postern-test/debian:latest', 'sleep', '100000');
  const sh = (script: string) => docker('exec', name, 'sh', '-c', script);
  const config = `HostKey /etc/ssh/host\nAuthorizedKeysFile /etc/ssh/keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nMaxSessions 1000\nMaxStartups 1000\nSubsystem sftp /usr/lib/openssh/sftp-server\n`;
  writeFileSync(join(folder, 'config'), config);
  sh(
    'mkdir -p /etc/ssh /run/sshd; grep -q ^sshd: /etc/passwd || echo sshd:x:101:65534::/run/sshd:/usr/sbin/nologin >>/etc/passwd',
  );
  for (const [from, to] of [
    ['host', 'host'],
    ['id.pub', 'keys'],
    ['config', 'sshd_config'],
  ] as const) {
    docker('cp', join(folder, from), `${name}:/etc/ssh/${to}`);
  }
  sh('chown root /etc/ssh/*; chmod 600 /etc/ssh/host; /usr/sbin/sshd');
  const address = docker('inspect', '-f', '{{.NetworkSettings.IPAddress}}', name);
  await answering(port, address);
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `${address} ${readFileSync(`${hostKey}.pub`, 'utf8')}`);
  return {
    name,
    address,
    key,
    sh,
    inspect: (format) => docker('inspect', '-f', format, name),
    sshArgs: sshArgs({ port, key, knownHosts }),
    remove: () => {
      docker('rm', '-f', name);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
