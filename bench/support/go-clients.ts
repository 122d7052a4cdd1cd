/** The clients that measure all servers alike, in Go: see peers/go/main.go. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { goProgram } from '../peers/go.ts';
import type { RunningPeer } from '../peers/peer.ts';

export interface Timed {
  readonly elapsedMs: number;
  readonly timesMs: readonly number[];
  readonly failures: readonly string[];
}

const targetOf = ({ host, port, user, key }: RunningPeer) => {
  return ['-host', host, '-port', String(port), '-user', user, '-key', key];
};

async function ask(args: readonly string[]): Promise<unknown> {
  const child = spawn(goProgram(), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [told, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (status !== 0) throw new Error(`the client ended with ${status}: ${args.join(' ')}`);
  return JSON.parse(told);
}

const flagsOf = (options: object) =>
  Object.entries(options).flatMap(([name, value]) => [`-${name}=${value}`]);

async function timed(command: string, peer: RunningPeer, options: object): Promise<Timed> {
  const result = (await ask([command, ...targetOf(peer), ...flagsOf(options)])) as Timed;
  if (result.failures.length > 0) {
    throw new Error(`${peer.name}: ${result.failures.length} of them failed: ${result.failures[0]}`);
  }
  return result;
}

export interface LoginOptions {
  readonly parallel: number;
  readonly seconds: number;
  readonly 'at-least'?: number;
  readonly 'every-ms'?: number;
}

/** Logins that leave at once, for some seconds. Throws when one fails. */
export const timeLogins = (peer: RunningPeer, options: LoginOptions) => timed('logins', peer, options);

export interface ExecOptions {
  readonly command: string;
  readonly parallel: number;
  readonly count: number;
  readonly fresh?: boolean;
}

/** Commands over connections that are open already, or each over one of its own. Throws when one fails or ends with a status. */
export const timeExecs = (peer: RunningPeer, options: ExecOptions) => timed('execs', peer, options);

/** Milliseconds for so many bytes through a local port behind which the pourer listens. */
export async function pour(port: number, way: 'up' | 'down', bytes: number): Promise<number> {
  return ((await ask(['pour', ...flagsOf({ port, way, bytes })])) as Timed).elapsedMs;
}

export interface Held {
  readonly held: number;
  readonly lost: number;
  readonly failures: readonly string[];
}

export interface Holder {
  /** Resolves when so many are held in all; throws when one could not log in. */
  readonly hold: (count: number) => Promise<Held>;
  readonly stop: () => Promise<void>;
}

/** Connections that stay open, idle, in a process of their own. */
export function startHolder(peer: RunningPeer, parallel: number): Holder {
  const args = ['hold', ...targetOf(peer), '-parallel', String(parallel)];
  const child = spawn(goProgram(), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = once(child, 'exit');
  return {
    async hold(count) {
      child.stdin.write(`${count}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('the process that holds connections has ended');
      const told = JSON.parse(value) as Held;
      if (told.failures.length > 0) throw new Error(`${peer.name}: ${told.failures[0]}`);
      return told;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

export interface Delay {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** A port of 127.0.0.1 that leads to the server with so many milliseconds each way. */
export async function startDelay({ host, port }: RunningPeer, ms: number): Promise<Delay> {
  const args = ['delay', '-host', host, '-port', String(port), '-ms', String(ms)];
  const child = spawn(goProgram(), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = await once(child.stdout, 'data');
  return {
    port: Number(line),
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
