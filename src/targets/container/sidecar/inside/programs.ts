/** Programs that the gateway has started here, each the leader of a session of its own. Imports nothing but Node and `platform/lent-reads`. */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { takeAtOnce } from '../../../../platform/lent-reads.ts';
import { carryOutput } from './carry-output.ts';
import { hangUp } from './hang-up.ts';
import type { PipeSource } from './pipes.ts';
import { type ProgramStream, readOrder } from './program-order.ts';
import type { Answer } from './serve.ts';
import { createStarter } from './starter.ts';
import { checkUsers } from './users.ts';

export interface Programs {
  /** The order, then stdin; answers with `x-pid`, both outputs in frames, and the trailer `x-exit`. */
  readonly run: (stream: ProgramStream) => Promise<void>;
  /** `pid`, of a program that runs; `name`, without SIG: to its process group. */
  readonly signal: Answer;
  /** Answers when nothing is left of any. */
  readonly hangUp: Answer;
  /** The gateway is gone. Resolves when nothing is left of any. */
  end(): Promise<void>;
}

/** `baseEnv`: of every program, before what is ordered. `pipes`: undefined where the image has no shell. */
export function createPrograms(baseEnv: NodeJS.ProcessEnv, pipes: PipeSource | undefined): Programs {
  const running = new Map<number, { readonly graceMs: number; readonly stream: ProgramStream }>();
  const leaving = new Set<Promise<void>>();
  const hurry = new AbortController();
  const starter = createStarter(baseEnv, pipes);

  const leave = (pid: number, graceMs: number) => {
    const ending: Promise<void> = hangUp(pid, graceMs, hurry.signal).finally(() => leaving.delete(ending));
    leaving.add(ending);
  };

  async function run(stream: ProgramStream): Promise<void> {
    const order = await readOrder(stream);
    checkUsers();
    const started = await starter.start(order, () => !stream.destroyed);
    if (!started) return;
    const { child, pid, stdio, outputs } = started;
    running.set(pid, { graceMs: order.graceMs, stream });
    let hasExited = false;
    stream.on('close', () => {
      stdio[0].destroy();
      if (running.delete(pid) && !hasExited) leave(pid, order.graceMs);
    });
    stream.respond({ ':status': 200, 'x-pid': pid }, { waitForTrailers: true });
    const output = carryOutput(stream, ...outputs);
    carryInput(stream, stdio[0]);
    child.once('exit', async (code, signal) => {
      await output.finish();
      // Before its output is at its end nobody has been told: until then a client that leaves hangs up.
      hasExited = true;
      // Nobody reads the rest of its stdin. First of all: a pipe that closes pauses what flows into it, and a lane would stand still.
      stream.unpipe();
      stream.resume();
      if (!stream.destroyed) {
        const status = signal ? 128 + constants.signals[signal] : (code ?? 255);
        stream.once('wantTrailers', () => stream.sendTrailers({ 'x-exit': status }));
        stream.end();
      }
      for (const each of stdio) each.destroy();
    });
  }

  const end = async () => {
    starter.end();
    for (const [pid, { graceMs }] of running) leave(pid, graceMs);
    running.clear();
    while (leaving.size > 0) await Promise.all(leaving);
  };
  return {
    run,
    async signal(stream, query) {
      const pid = Number(query.get('pid'));
      const name = `SIG${query.get('name')}` as NodeJS.Signals;
      if (running.has(pid) && Object.hasOwn(constants.signals, name)) process.kill(-pid, name);
      stream.respond({ ':status': 200 }, { endStream: true });
    },
    async hangUp(stream) {
      hurry.abort();
      await end();
      if (!stream.destroyed) stream.respond({ ':status': 200 }, { endStream: true });
    },
    end,
  };
}

/** A program that has closed its stdin lets what comes for it pass. */
function carryInput(stream: ProgramStream, stdin: Socket): void {
  stdin.on('error', () => {
    stream.unpipe(stdin);
    stream.resume();
  });
  takeAtOnce(stream, () => stdin.writableLength === 0);
  stream.pipe(stdin);
}
