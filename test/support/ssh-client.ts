/** The real OpenSSH programs, run against a gateway under test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KeyPair {
  readonly file: string;
  readonly publicKey: string;
  readonly fingerprint: string;
}

/** A fresh key made by ssh-keygen, in a folder of its own. */
export async function makeKeyPair(type = 'ed25519', extra: readonly string[] = []): Promise<KeyPair> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-key-'));
  const file = join(folder, `id_${type}`);
  await run('ssh-keygen', ['-q', '-t', type, ...extra, '-N', '', '-C', `${type}-test`, '-f', file]);
  const publicKey = (await readFile(`${file}.pub`, 'utf8')).trim();
  const { stdout } = await run('ssh-keygen', ['-lf', file]);
  return { file, publicKey, fingerprint: stdout.split(' ')[1] as string };
}

export interface Outcome {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The exit status; 128 + n when ssh itself died of a signal. */
  readonly status: number;
  readonly text: string;
}

export interface RunOptions {
  readonly stdin?: string | Buffer;
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs any program to its end, collecting what it prints. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  return collect(child, options);
}

export async function collect(child: ChildProcess, options: RunOptions = {}): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.stdin ?? '');
  const timeout = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('close', (...ending) => resolve(ending));
    child.once('error', reject);
  });
  clearTimeout(timeout);
  const output = Buffer.concat(stdout);
  return {
    stdout: output,
    stderr: Buffer.concat(stderr).toString('utf8'),
    status: signal === null ? (code ?? 255) : 128 + (signal === 'SIGKILL' ? 9 : 15),
    text: output.toString('utf8'),
  };
}

export interface SshTarget {
  readonly port: number;
  /** A known_hosts file that holds the gateway's keys. */
  readonly knownHosts: string;
}

export interface SshOptions extends RunOptions {
  readonly login?: string;
  readonly key?: KeyPair | string;
  readonly args?: readonly string[];
}

/** The arguments that aim OpenSSH at the gateway, strictly checking its host key. */
export function sshArguments(target: SshTarget, { key, args = [] }: SshOptions): string[] {
  const identity = typeof key === 'string' ? key : key?.file;
  // Of an option given twice, ssh takes the first.
  return [
    ...args,
    '-F',
    '/dev/null',
    '-o',
    `UserKnownHostsFile=${target.knownHosts}`,
    '-o',
    'StrictHostKeyChecking=yes',
    '-o',
    'IdentitiesOnly=yes',
    '-o',
    'LogLevel=ERROR',
    ...(identity === undefined ? [] : ['-i', identity]),
  ];
}

/** `ssh -p PORT [LOGIN@]127.0.0.1 COMMAND`. */
export function ssh(
  target: SshTarget,
  command: string | undefined,
  options: SshOptions = {},
): Promise<Outcome> {
  return runProgram('ssh', sshCommand(target, command, options), options);
}

/** The same, left running. */
export function spawnSsh(
  target: SshTarget,
  command: string | undefined,
  options: SshOptions = {},
): ChildProcess {
  return spawn('ssh', sshCommand(target, command, options), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
}

function sshCommand(target: SshTarget, command: string | undefined, options: SshOptions): string[] {
  return [
    ...sshArguments(target, options),
    '-p',
    String(target.port),
    `${options.login ?? 'somebody'}@127.0.0.1`,
    ...(command === undefined ? [] : ['--', command]),
  ];
}

/** A known_hosts file for these host keys. */
export async function writeKnownHosts(port: number, hostKeys: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-known-'));
  const file = join(folder, 'known_hosts');
  await writeFile(file, hostKeys.map((key) => `[127.0.0.1]:${port} ${key}\n`).join(''));
  return file;
}
