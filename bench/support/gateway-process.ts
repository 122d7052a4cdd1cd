/** The built gateway as a process of its own, as in production: what is measured is what ships. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unsynced } from '../peers/postern.ts';

export interface GatewayProcess {
  readonly pid: number;
  readonly port: number;
  /** Arguments for ssh, without destination and command. */
  readonly sshArgs: readonly string[];
  readonly folder: string;
  /** Of the HTTP listener, where `--http-listen` was given. */
  readonly httpUrl: string | undefined;
  readonly stop: () => void;
}

const root = new URL('../..', import.meta.url).pathname;

export async function startGatewayProcess(extra: readonly string[] = []): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const key = join(folder, 'id');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const args = [
    'serve',
    '--ssh-listen=127.0.0.1:0',
    `--data=${folder}/data`,
    `--hostkeys=${folder}/hostkeys`,
    `--admin-key=${key}.pub`,
    '--log-level=warn',
    ...extra,
  ];
  const env = { ...process.env, ...unsynced };
  const child = spawn(join(root, 'bin/postern'), args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const announced = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
      if (/^Host key/m.test(text)) resolve(text);
    });
    child.once('exit', () => reject(new Error(`the gateway did not start: ${text}`)));
  });
  const port = Number(/listens for SSH on 127\.0\.0\.1:(\d+)/.exec(announced)?.[1]);
  const httpUrl = /POST (http:\S+)\/exec/.exec(announced)?.[1];
  const hostKey = readFileSync(join(folder, 'hostkeys/ssh_host_ed25519_key.pub'), 'utf8');
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey}`);
  return {
    pid: child.pid as number,
    port,
    folder,
    httpUrl,
    sshArgs: sshArgs({ port, key, knownHosts }),
    stop: () => {
      child.kill('SIGTERM');
      child.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    },
  };
}

export function sshArgs({
  port,
  key,
  knownHosts,
}: {
  port: number;
  key: string;
  knownHosts: string;
}): string[] {
  return [
    '-F',
    '/dev/null',
    '-o',
    `UserKnownHostsFile=${knownHosts}`,
    '-o',
    'IdentitiesOnly=yes',
    '-o',
    'LogLevel=ERROR',
    '-i',
    key,
    '-p',
    String(port),
  ];
}
