/** What is measured: a server that was started for it, and the programs that servers are measured with. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Peer {
  /** As tables and plots call it. */
  readonly name: string;
  /** Of the program, with its package's where it has one. */
  readonly version: () => string;
  /** Those of `ciphers` that it can. */
  readonly ciphers: readonly string[];
  /** It accepts no more connections at once before their logins are done. */
  readonly mostStartups?: number;
  /** It ends the connection with its first session. */
  readonly oneSession?: boolean;
  readonly start: (key: string) => Promise<RunningPeer>;
}

/** Listens on 127.0.0.1 or on a container's address, and lets the key in. */
export interface RunningPeer {
  readonly name: string;
  /** Of the process whose tree is the whole server. */
  readonly pid: number;
  /** Processor time so far of all that serves, and of the programs it runs; undefined: that of the tree. */
  readonly cpuMs?: () => number;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly key: string;
  readonly stop: () => Promise<void>;
}

/** Most to least popular: OpenSSH's default, and what hardware is quickest at. */
export const ciphers = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
] as const;

/** Arguments for OpenSSH's clients, without destination and command. Everything is on this machine: no host key is asked about. */
export function sshArgs({ port, key, user }: RunningPeer, cipher?: string): string[] {
  const options = {
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
    IdentitiesOnly: 'yes',
    LogLevel: 'ERROR',
    User: user,
    Port: String(port),
    IdentityFile: key,
    ...(cipher && { Ciphers: cipher, MACs: 'hmac-sha2-256-etm@openssh.com,hmac-sha2-256' }),
  };
  return [
    '-F',
    '/dev/null',
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
}

/** An ed25519 key pair in OpenSSH's format. */
export function generateKey(file: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', file]);
}

export interface Folder {
  readonly path: string;
  readonly remove: () => void;
}

export function makeFolder(name: string): Folder {
  const path = mkdtempSync(join(tmpdir(), `postern-bench-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Of an installed Debian package, without epoch. */
export function packageVersion(name: string): string {
  const text = execFileSync('dpkg-query', ['-f', `\${Version}`, '-W', name], { encoding: 'utf8' });
  return text.replace(/^\d+:/, '');
}
