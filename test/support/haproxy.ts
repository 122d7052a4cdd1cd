/** The real HAProxy in front of a gateway. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../scripts/debian-packages.mjs';
import { freePort } from './free-port.ts';
import { openSocket } from './raw-client.ts';

export interface Front {
  readonly mode: 'tcp' | 'http';
  readonly to: number;
  /** Of the `server` line: `send-proxy-v2`, … */
  readonly options: string;
  /** More lines of the section. */
  readonly lines?: readonly string[];
}

/** Starts it with a listening port for each front; `ports` are theirs. */
export async function startHaproxy(fronts: readonly Front[]) {
  const ports: number[] = [];
  for (const _front of fronts) ports.push(await freePort());
  const sections = fronts.map(({ mode, to, options, lines = [] }, index) =>
    [
      `listen front${index}`,
      `mode ${mode}`,
      `bind 127.0.0.1:${ports[index]}`,
      ...lines,
      `server gateway 127.0.0.1:${to} ${options}`,
    ].join('\n  '),
  );
  const defaults = 'defaults\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s';
  const text = `${['global\n  maxconn 200', defaults, ...sections].join('\n')}\n`;
  return { ports, stop: await runHaproxy(text, ports.at(-1) as number) };
}

/** With a configuration file of this text, the last listening port of which is `port`. Resolves to what ends it. */
export async function runHaproxy(text: string, port: number): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, text);
  const child = spawn(findProgram('haproxy') ?? 'haproxy', ['-db', '-f', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk;
  });
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`haproxy: ${complaint}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
}

const isListening = (port: number) =>
  new Promise<boolean>((resolve) => {
    const { socket } = openSocket(port);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
