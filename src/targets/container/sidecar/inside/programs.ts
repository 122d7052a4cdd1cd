/** Programs that the gateway has started here, each the leader of a session of its own. Imports nothing but Node. */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { carryOutput, inputMark } from './carry-output.ts';
import { type HandedOver, handOver } from './hand-over.ts';
import { hangUp } from './hang-up.ts';
import type { PipeSource } from './pipes.ts';
import { type ProgramStream, readOrder } from './program-order.ts';
import type { Answer } from './serve.ts';
import { coded } from './sockets.ts';
import { createStarter } from './starter.ts';
import { checkUsers } from './users.ts';

export interface Programs {
  /** The order, then stdin; answers with `x-pid`, both outputs in frames, and the trailer `x-exit`. */
  readonly run: (stream: ProgramStream) => Promise<void>;
  /** `pid`, of a program that runs; `name`, without SIG: to its process group. */
  readonly signal: Answer;
  /** `pid`, of a program that runs: the gateway carries its streams from now on, by the descriptors in `x-fds`. */
  readonly takeOver: Answer;
  /** Answers when nothing is left of any. */
  readonly hangUp: Answer;
  /** The gateway is gone. Resolves when nothing is left of any. */
  end(): Promise<void>;
}

interface Running {
  readonly graceMs: number;
  /** Undefined where it cannot be, or has been. */
  handOver(): HandedOver | undefined;
}

/** `baseEnv`: of every program, before what is ordered. `pipes`: undefined where the image has no shell. */
export function createPrograms(baseEnv: NodeJS.ProcessEnv, pipes: PipeSource | undefined): Programs {
  const running = new Map<number, Running>();
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
    const { child, pid, stdio } = started;
    let isExiting = false;
    let hasExited = false;
    let handed: HandedOver | undefined;
    const isDelivered = () => hasExited && (!handed || (stream.readableEnded && stream.writableFinished));
    stream.on('close', () => {
      stdio[0].destroy();
      if (!hasExited) handed?.drain();
      if (running.delete(pid) && !isDelivered()) leave(pid, order.graceMs);
    });
    stream.respond({ ':status': 200, 'x-pid': pid }, { waitForTrailers: true });
    const output = carryOutput(stream, stdio[1], stdio[2]);
    carryInput(stream, stdio[0]);
    const handOverAll = () => {
      if (isExiting || handed || stream.destroyed) return undefined;
      handed = handOver(started);
      if (!handed) return undefined;
      output.handOver();
      tellEndOf(stdio[0], stream);
      return handed;
    };
    running.set(pid, { graceMs: order.graceMs, handOver: handOverAll });
    child.once('exit', async (code, signal) => {
      isExiting = true;
      await output.finish();
      await handed?.released;
      handed?.end();
      // Before its output is at its end nobody has been told: until then a client that leaves hangs up.
      hasExited = true;
      for (const each of stdio) each.destroy();
      // Nobody reads the rest of its stdin.
      stream.resume();
      if (stream.destroyed) return;
      const status = signal ? 128 + constants.signals[signal] : (code ?? 255);
      stream.once('wantTrailers', () => stream.sendTrailers({ 'x-exit': status }));
      stream.end();
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
    async takeOver(stream, query) {
      const handed = running.get(Number(query.get('pid')))?.handOver();
      if (!handed) throw coded('ESRCH');
      stream.on('end', handed.release).on('close', handed.release).resume();
      stream.respond({ ':status': 200, 'x-fds': handed.told });
      stream.end();
    },
    async hangUp(stream) {
      hurry.abort();
      await end();
      if (!stream.destroyed) stream.respond({ ':status': 200 }, { endStream: true });
    },
    end,
  };
}

/** The gateway writes on where this process has written all. */
function tellEndOf(stdin: Socket, stream: ProgramStream): void {
  const tell = () => {
    if (!stream.destroyed && !stream.writableEnded) stream.write(inputMark);
  };
  if (stdin.closed) tell();
  else stdin.once('close', tell);
}

/** A program that has closed its stdin lets what comes for it pass. */
function carryInput(stream: ProgramStream, stdin: Socket): void {
  stdin.on('error', () => {
    stream.unpipe(stdin);
    stream.resume();
  });
  stream.pipe(stdin);
}
