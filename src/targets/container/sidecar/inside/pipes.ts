/**
 * Real pipes for programs: what Node itself makes for them are sockets, which nobody can open at /dev/stdin or
 * /dev/stderr. A shell makes a pipe of every here-document; both of its ends are opened here, under /proc. The shell
 * stays, so that no process is started for a pipe. Imports nothing but Node.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Two file descriptors of ours. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** For stdin, stdout and stderr. */
export type Pipes = readonly [Pipe, Pipe, Pipe];

export interface PipeSource {
  /** Rejects with code ENOPIPE where the shell makes none, or not in time: then it never will. */
  take(): Promise<Pipes>;
}

/** All that sh can name by one digit, in threes. */
const shellFds = [3, 4, 5, 6, 7, 8];
/** An empty document may be no pipe in bash. */
const text = 'x\n';
const order = `exec ${shellFds.map((fd) => `${fd}<<E`).join(' ')}\n${`${text}E\n`.repeat(shellFds.length)}echo\n`;
const readyAtMost = 6;
/**
 * In all far longer than it ever takes; whoever asked must be told before they give up. Not by the clock: who was paused,
 * like all in its container, has not waited.
 */
const madeWithinLooks = 4;
const looksEveryMs = 500;

/** `shell`: the words that start one which reads its script from stdin. */
export function createPipeSource(shell: readonly string[]): PipeSource {
  const ready: Pipes[] = [];
  const waiting: PromiseWithResolvers<Pipes>[] = [];
  /** The shell still holds their reading ends: whoever writes would not learn that nobody reads. */
  let held: Pipes[] = [];
  let failure: Error | undefined;
  let isAsking = true;

  const maker = spawn(shell[0] as string, shell.slice(1), { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
  const fail = (error: Error) => {
    failure ??= Object.assign(error, { code: 'ENOPIPE' });
    // It may be stopped.
    maker.kill('SIGKILL');
    for (const { reject } of waiting.splice(0)) reject(failure);
    for (const pipes of [...ready.splice(0), ...held.splice(0)]) closePipes(pipes);
  };
  const later = () => {
    const made = Promise.withResolvers<Pipes>();
    let looks = 0;
    const look = () => ++looks >= madeWithinLooks && fail(new Error('the shell makes no pipes'));
    const looking = setInterval(look, looksEveryMs);
    waiting.push(made);
    return made.promise.finally(() => clearInterval(looking));
  };
  const proceed = () => {
    if (ready.length < readyAtMost) maker.stdin.write(order);
    else isAsking = false;
  };
  /** It has made new ones, and closed those that came before. */
  const gather = () => {
    for (const pipes of held) {
      const first = waiting.shift();
      if (first) first.resolve(pipes);
      else ready.push(pipes);
    }
    held = openPipes(maker);
    proceed();
  };
  maker.stdin.on('error', fail).write(order);
  maker.on('error', fail).on('exit', () => fail(new Error('the shell that makes pipes has ended')));
  maker.stdout.on('data', (chunk: Buffer) => {
    if (failure) return;
    try {
      for (let left = chunk.length; left > 0; left--) gather();
    } catch (error) {
      fail(error as Error);
    }
  });
  return {
    take() {
      if (failure) return Promise.reject(failure);
      const first = ready.shift();
      const taken = first ? Promise.resolve(first) : later();
      if (!isAsking) {
        isAsking = true;
        proceed();
      }
      return taken;
    },
  };
}

function openPipes({ pid }: ChildProcess): Pipes[] {
  const pipes = shellFds.map((fd) => openPipe(`/proc/${pid}/fd/${fd}`));
  const made: Pipes[] = [];
  for (let at = 0; at < pipes.length; at += 3) made.push(pipes.slice(at, at + 3) as unknown as Pipes);
  return made;
}

function openPipe(path: string): Pipe {
  const read = openSync(path, constants.O_RDONLY);
  try {
    if (!fstatSync(read).isFIFO()) throw new Error('the shell makes files of its documents');
    if (readSync(read, Buffer.alloc(text.length)) !== text.length) throw new Error('a pipe was not empty');
    return { read, write: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(read);
    throw error;
  }
}

export function closePipes(pipes: Pipes): void {
  for (const { read, write } of pipes) {
    closeSync(read);
    closeSync(write);
  }
}
