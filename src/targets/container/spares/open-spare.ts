/** One program with a terminal that has been started in advance, and waits to be told what to become. */
import type { Duplex } from 'node:stream';
import { randomId } from '../../../platform/ids.ts';
import type { EngineApi } from '../engine-api.ts';
import { readToTheEnd } from '../hijacked-stream.ts';
import { encodeOrder, goAhead, heartbeatMs, leaveNow, spareArgv, stillHere } from './spare-script.ts';

/** What runs in a container now, and the connection to it. */
export interface StartedExec {
  readonly execId: string;
  readonly stream: Duplex;
}

export interface Spare {
  readonly isOpen: boolean;
  /**
   * Lets it become that, and gives it away; its output is paused. Undefined where it does not, and never will:
   * nothing of the order has been carried out then.
   */
  become(env: readonly string[], argv: readonly string[]): Promise<StartedExec | undefined>;
  onClose(listener: () => void): void;
  /** Resolves when it is gone, or does not answer. */
  close(): Promise<void>;
}

export interface SparePlace {
  readonly containerId: string;
  readonly engineUser: string | undefined;
  readonly shell: string;
}

const readyWithinMs = 10_000;
/** Far longer than it ever takes: a container may be paused. */
const answersWithinMs = 1_000;
const leavesWithinMs = 1_000;
const maxSaidBytes = 256;

/** Resolves when it waits; throws where it does not come to that. */
export async function openSpare(engine: EngineApi, place: SparePlace): Promise<Spare> {
  const marker = `postern-${randomId()}`;
  const execId = await engine.createExec(place.containerId, {
    argv: spareArgv(place.shell, marker),
    user: place.engineUser,
    tty: true,
    stdin: true,
    workingDir: '/',
  });
  const stream = await engine.startExec(execId, true);
  const talk = talkOver(stream);
  if (!(await talk.hears(new RegExp(`^${marker} \\d{1,7}\\n$`), readyWithinMs))) {
    await talk.leave();
    throw new Error('a spare did not start');
  }
  const heartbeat = setInterval(() => stream.write(stillHere), heartbeatMs);
  heartbeat.unref();
  talk.onEnd(() => clearInterval(heartbeat));
  return {
    get isOpen() {
      return talk.isSilent();
    },
    async become(env, argv) {
      clearInterval(heartbeat);
      const order = encodeOrder(marker, env, argv);
      if (order && talk.isSilent()) {
        stream.write(order);
        if (await talk.hears(new RegExp(`^${marker} ok\\n$`), answersWithinMs)) {
          talk.stop();
          // Up to here it has done nothing; from here on it must not be done in another way, too.
          stream.write(goAhead);
          return { execId, stream };
        }
      }
      void talk.leave();
      return undefined;
    },
    onClose: talk.onEnd,
    async close() {
      clearInterval(heartbeat);
      await talk.leave();
    },
  };
}

/** Whatever is said that was not asked for ends it: a program of the same user may write to the terminal. */
function talkOver(stream: Duplex) {
  const listeners: (() => void)[] = [];
  let hasEnded = false;
  let said = '';
  let heard: ((isHeard: boolean) => void) | undefined;
  let expected: RegExp | undefined;
  const end = () => {
    if (hasEnded) return;
    hasEnded = true;
    heard?.(false);
    for (const listener of listeners) listener();
  };
  const read = (chunk: Buffer) => {
    said += chunk.toString('latin1');
    if (expected?.test(said)) heard?.(true);
    else if (!expected || said.includes('\n') || said.length > maxSaidBytes) void leave();
  };
  /** Where it does not listen any more, it ends when its terminal has been silent for a while. */
  async function leave(): Promise<void> {
    end();
    if (stream.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.off('data', read).resume().on('end', resolve).on('close', resolve);
    const deadline = setTimeout(resolve, leavesWithinMs);
    stream.write(leaveNow);
    await promise;
    clearTimeout(deadline);
    stream.destroy();
  }
  readToTheEnd(stream, end);
  stream.on('data', read).on('end', end).on('close', end);
  return {
    isSilent: () => !hasEnded && said === '',
    onEnd: (listener: () => void) => void listeners.push(listener),
    /** Whether exactly that is what it says next. */
    async hears(pattern: RegExp, withinMs: number): Promise<boolean> {
      if (hasEnded) return false;
      expected = pattern;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      heard = resolve;
      const deadline = setTimeout(resolve, withinMs, false);
      const isHeard = await promise;
      clearTimeout(deadline);
      expected = undefined;
      heard = undefined;
      said = isHeard ? '' : said;
      return isHeard;
    },
    stop() {
      stream.pause();
      stream.off('data', read).off('end', end).off('close', end);
      end();
    },
    leave,
  };
}
