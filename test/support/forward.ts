/** Forwards by the real ssh, and what they meet in containers. */
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { runContainer, type TestContainer } from './containers.ts';
import { images, openEngine } from './engine.ts';
import type { TestGateway } from './gateway.ts';
import { type SshOptions, spawnSsh } from './ssh-client.ts';

export interface OpenForwards {
  readonly ssh: ChildProcess;
  readonly stderr: () => string;
  close(): Promise<void>;
}

/** `ssh -N` with these arguments, when `port` of this machine listens. */
export async function openForwards(
  door: TestGateway,
  port: number,
  options: SshOptions,
): Promise<OpenForwards> {
  const args = ['-N', '-o', 'ExitOnForwardFailure=yes', ...(options.args ?? [])];
  const ssh = spawnSsh(door, undefined, { key: door.admin, ...options, args });
  let stderr = '';
  ssh.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  for (let tries = 800; !(await listens(port)); tries--) {
    if (tries === 0 || ssh.exitCode !== null) throw new Error(`ssh forwards nothing: ${stderr}`);
    await pause(25);
  }
  return {
    ssh,
    stderr: () => stderr,
    async close() {
      if (ssh.exitCode !== null || ssh.signalCode !== null) return;
      const ended = new Promise((resolve) => ssh.once('exit', resolve));
      ssh.kill();
      await ended;
    },
  };
}

/** By the kernel's table: a trial connection would be a forward. */
async function listens(port: number): Promise<boolean> {
  const table = await readFile('/proc/net/tcp', 'utf8');
  return new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ 0A `).test(table);
}

/** Connects to a port of this machine and sends; resolves to all that comes back until the end. */
export async function exchange(
  port: number,
  send: string | Buffer,
  { end = true, host = '127.0.0.1' } = {},
): Promise<Buffer> {
  const socket = await open(port, host);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  if (end) socket.end(send);
  else socket.write(send);
  await ended;
  return Buffer.concat(chunks);
}

export function open(port: number, host = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, allowHalfOpen: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/**
 * From the command that began so to the last forward of that account which the gateway ended itself; NaN where there is none.
 * By the gateway's log: no ssh has to start or to be told of it in that time.
 */
export function msFromCommandToEnd({ logged }: TestGateway, command: string, account: string): number {
  const timeOf = (isIt: (line: Record<string, unknown>) => boolean) =>
    Number(logged().findLast(isIt)?.['time']);
  const begun = timeOf(({ audit, line }) => audit === 'command-run' && String(line).startsWith(command));
  const ended = timeOf(
    ({ account: whose, end }) =>
      whose === account && (end as { forward?: string } | undefined)?.forward === 'ended by the gateway',
  );
  return ended - begun;
}

/** Ids of the sidecars that a container has now, running or not. */
export async function sidecarsOf(container: { readonly id: string }): Promise<readonly string[]> {
  const label = [`postern.sidecar.of=${container.id}`];
  const found = await openEngine().listContainers({ all: true, filters: { label } });
  return found.map(({ Id }) => Id);
}

const serversFolder = new URL('web-server', import.meta.url).pathname;

/** A container with the servers of `serve-sockets.ts`, which have begun to listen. */
export async function startSocketContainer(options: readonly string[] = []): Promise<TestContainer> {
  const mounts = [`${process.execPath}:/usr/local/bin/node`, `${serversFolder}:/web`];
  const container = await runContainer(
    images.debian,
    [...mounts.flatMap((mount) => ['-v', `${mount}:ro`]), ...options],
    ['node', '/web/serve-sockets.ts'],
  );
  await untilServing(container);
  return container;
}

/** By /proc/net/tcp: the last of them listens. */
export async function untilServing({ sh, name }: TestContainer): Promise<void> {
  for (let tries = 100; !(await sh('cat /proc/net/tcp')).includes(':0054 00000000:0000 0A'); tries--) {
    if (tries === 0) throw new Error(`nothing listens in ${name}`);
    await pause(50);
  }
}
