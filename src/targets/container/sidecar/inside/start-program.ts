/** Starts one program as the leader of a session of its own. Imports nothing but Node. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { asProgram } from './oom-score.ts';
import { type Output, openOutput, outputOf } from './open-output.ts';
import type { Pipe, Pipes } from './pipes.ts';

/** What a process is started with. */
export interface Start {
  readonly argv: readonly string[];
  /** `NAME=value`, on top of what all have. */
  readonly env: readonly string[];
  readonly cwd: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Our ends of stdin, stdout and stderr. */
  readonly stdio: readonly [Socket, Socket, Socket];
  /** The last two, to be read by them alone. */
  readonly outputs: readonly [Output, Output];
}

/** Throws the system's error. `pipes` are its from now on; undefined: Node makes what it has. */
export async function startProgram(
  { argv, env, cwd }: Start,
  baseEnv: NodeJS.ProcessEnv,
  pipes: Pipes | undefined,
): Promise<Started> {
  const options = { cwd, env: environmentOf(baseEnv, env), detached: true };
  const { child, stdio, outputs } = asProgram(() =>
    pipes ? spawnOn(pipes, argv, options) : spawnOnSockets(argv, options),
  );
  if (child.pid !== undefined) return { child, pid: child.pid, stdio, outputs };
  for (const each of stdio) each?.destroy();
  // It comes later, as an event.
  throw await new Promise((resolve) => child.once('error', resolve));
}

type Options = Parameters<typeof spawn>[2];
type Spawned = Omit<Started, 'pid'>;

function spawnOnSockets([program = '', ...words]: readonly string[], options: Options): Spawned {
  const child = spawn(program, words, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  const stdio = [child.stdin as Socket, child.stdout as Socket, child.stderr as Socket] as const;
  return { child, stdio, outputs: [outputOf(stdio[1]), outputOf(stdio[2])] };
}

function spawnOn(pipes: Pipes, [program = '', ...words]: readonly string[], options: Options): Spawned {
  const [input, output, errors] = pipes;
  const theirs = [input.read, output.write, errors.write];
  try {
    const child = spawn(program, words, { ...options, stdio: theirs });
    const outputs = [openOutput(output.read), openOutput(errors.read)] as const;
    return { child, stdio: [openInput(input), outputs[0].socket, outputs[1].socket], outputs };
  } catch (error) {
    for (const fd of [input.write, output.read, errors.read]) closeSync(fd);
    throw error;
  } finally {
    for (const fd of theirs) closeSync(fd);
  }
}

const openInput = ({ write: fd }: Pipe) => new Socket({ fd, readable: false, writable: true });

/** Without a prototype: a variable may have any name. */
function environmentOf(baseEnv: NodeJS.ProcessEnv, ordered: readonly string[]): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = Object.assign(Object.create(null), baseEnv);
  for (const each of ordered) {
    const at = each.indexOf('=');
    if (at > 0) env[each.slice(0, at)] = each.slice(at + 1);
  }
  return env;
}
