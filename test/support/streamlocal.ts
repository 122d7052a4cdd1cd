/** Unix sockets that the real ssh forwards. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { until } from './container-processes.ts';
import type { TestGateway } from './gateway.ts';
import { type SshOptions, spawnSsh } from './ssh-client.ts';

/** Connects to a socket of this machine and sends; resolves to all that comes back until the end. */
export async function askSocket(path: string, send: string | Buffer = '', end = true): Promise<Buffer> {
  const socket = await openSocketAt(path);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
  const ended = new Promise((resolve) => socket.once('close', resolve));
  if (end) socket.end(send);
  else socket.write(send);
  await ended;
  return Buffer.concat(chunks);
}

export function openSocketAt(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** As the kernel says: a socket's file is there before anybody listens. */
export const isListening = (path: string) =>
  readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .some((line) => line.includes(' 00010000 ') && line.endsWith(` ${path}`));

export interface ForwardOptions extends SshOptions {
  /** An ssh_config by which `login` is a host; unset: it is the login name. */
  readonly config?: string;
}

/** `ssh -v -N` with these arguments while `use` runs: when `path` of this machine is there, or ssh has told of its -R. */
export async function withForward<T>(
  door: TestGateway,
  path: string | undefined,
  { config, ...options }: ForwardOptions,
  use: (stderr: () => string) => Promise<T>,
): Promise<T> {
  const args = ['-v', '-N', '-o', 'LogLevel=VERBOSE', ...(options.args ?? [])];
  const ssh =
    config === undefined
      ? spawnSsh(door, undefined, { key: door.admin, ...options, args })
      : spawn('ssh', ['-F', config, ...args, options.login as string], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  ssh.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => ssh.once('exit', resolve));
  try {
    const isReady = () =>
      path === undefined ? /remote forward (success|failure)/i.test(stderr) : isListening(path);
    await until(async () => isReady() || ssh.exitCode !== null, 10_000);
    if (!isReady()) throw new Error(`ssh forwards nothing: ${stderr}`);
    return await use(() => stderr);
  } finally {
    // A SIGTERM that comes while ssh is busy waits for its next message, half a minute.
    ssh.kill('SIGKILL');
    await ended;
  }
}
