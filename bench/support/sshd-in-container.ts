/** OpenSSH's sshd running inside a container: what a session through the gateway is measured against. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomId } from '../../src/platform/ids.ts';
import { findOwnBinary } from '../../src/targets/container/sidecar/own-binary.ts';
import { ensureImages } from '../../test/support/images.ts';
import { sshArgs } from './gateway-process.ts';

export interface ContainerWithSshd {
  readonly name: string;
  readonly sshArgs: readonly string[];
  readonly remove: () => void;
}

const inside = '/opt/sshd';

/** This machine's sshd and its libraries, in a Debian container; it takes one key, for root. */
export async function startContainerWithSshd(): Promise<ContainerWithSshd> {
  await ensureImages();
  const folder = mkdtempSync(join(tmpdir(), 'postern-sshd-inside-'));
  const key = join(folder, 'id');
  for (const file of [key, join(folder, 'host')]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  }
  const { node: sshd, libraries } = await findOwnBinary('/usr/sbin/sshd');
  copyFileSync(sshd, join(folder, 'sshd'));
  for (const [name, path] of libraries) copyFileSync(path, join(folder, name));
  copyFileSync(`${key}.pub`, join(folder, 'authorized_keys'));
  writeFileSync(
    join(folder, 'config'),
    `Port 22\nHostKey ${inside}/host\nAuthorizedKeysFile ${inside}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPidFile none\nMaxSessions 64\nSubsystem sftp /usr/lib/openssh/sftp-server\n`,
  );
  const name = `bench-${randomId(6)}`;
  const options = ['--label', 'postern.test=1', '-v', `${folder}:${inside}`];
  execFileSync('docker', ['run', '-d', '--name', name, ...options, 'postern-test/debian', 'sleep', '100000']);
  const started = `useradd -r sshd; mkdir -p /run/sshd; exec env LD_LIBRARY_PATH=${inside} ${inside}/sshd -f ${inside}/config`;
  execFileSync('docker', ['exec', name, 'sh', '-c', started], { stdio: 'ignore' });
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const address = execFileSync('docker', ['inspect', '-f', format, name]).toString().trim();
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `${address} ${readFileSync(join(folder, 'host.pub'), 'utf8')}`);
  return {
    name,
    sshArgs: [...sshArgs({ port: 22, key, knownHosts }), `root@${address}`],
    remove: () => {
      execFileSync('docker', ['rm', '-f', name]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Master {
  /** Arguments of ssh for a session over the open connection; the command follows. */
  readonly args: readonly string[];
  readonly close: () => void;
}

/** An open ControlMaster to that destination, the last of the arguments. */
export async function openMaster(args: readonly string[]): Promise<Master> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-master-'));
  const path = join(folder, 'control');
  const shared = ['-o', `ControlPath=${path}`];
  const master = spawn('ssh', ['-o', 'ControlMaster=yes', ...shared, '-N', ...args], { stdio: 'inherit' });
  for (let tries = 200; ; tries--) {
    try {
      execFileSync('ssh', [...shared, '-O', 'check', ...args], { stdio: 'ignore' });
      break;
    } catch (error) {
      if (tries === 0) throw error;
      await sleep(50);
    }
  }
  return {
    args: [...shared, ...args],
    close: () => {
      master.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
