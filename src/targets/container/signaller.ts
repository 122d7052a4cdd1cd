/** Delivers signals to processes inside containers: one short exec each, or one for many sessions. */
import type { EngineApi } from './engine-api.ts';
import { shortReason } from './engine-errors.ts';
import { createFrameReader } from './frames.ts';
import { shellArgv } from './launch.ts';
import { isPaused } from './paused.ts';
import { groupScript, ran, sessionScript } from './signal-script.ts';

/** A program in a container, as whom it runs, and the shell that can signal it. */
export interface Leader {
  readonly containerId: string;
  /** When the container did, as the engine says it: the same pid is somebody else's after another start. */
  readonly startedAt: string;
  readonly engineUser: string | undefined;
  readonly shell: string;
  /** As the container counts; also the id of the session it leads. */
  readonly pid: number;
}

export interface Signaller {
  /** To the program's process group, if it is still there. `signal` must be one of `signalNames`' values. */
  signalGroup(leader: Leader, signal: string): Promise<void>;
  /** To all of its session. Resolves to whether anything was there to be signalled. */
  signalSession(leader: Leader, signal: 'HUP' | 'TERM' | 'KILL'): Promise<boolean>;
  /** Whether its container is, so that nothing can be signalled now. */
  isPaused(leader: Leader): Promise<boolean>;
}

/** RFC 4254 §6.10, and job control's; a break is what Ctrl-C would be on a serial line (RFC 4335). */
export const signalNames: ReadonlyMap<string, string> = new Map([
  ...['ABRT', 'ALRM', 'CONT', 'FPE', 'HUP', 'ILL', 'INT', 'KILL', 'PIPE', 'QUIT', 'SEGV'].map(same),
  ...['STOP', 'TERM', 'TSTP', 'USR1', 'USR2', 'WINCH'].map(same),
  ['BREAK', 'INT'],
]);

function same(name: string): [string, string] {
  return [name, name];
}

const maxAnswerBytes = 64 * 1024;
const answerWithinMs = 20_000;
const maxBatch = 200;

interface Order {
  readonly pid: number;
  readonly resolve: (found: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export function createSignaller(engine: EngineApi): Signaller {
  const waiting = new Map<string, Order[]>();

  /** The lines it prints; none where the container has started anew. */
  const run = async (leader: Leader, script: string, args: readonly string[]) => {
    const { containerId, startedAt, engineUser, shell } = leader;
    const execId = await engine.createExec(containerId, {
      argv: [...shellArgv(shell), script, 'postern', ...args],
      user: engineUser,
      tty: false,
      stdin: false,
      workingDir: '/',
    });
    // Asked after the exec was made, which is for one start only.
    if ((await engine.inspect(containerId)).State.StartedAt !== startedAt) return [];
    const lines = (await readOutput(engine, execId)).trimEnd().split('\n');
    // The engine tells in-band, as if the script had written it, that it could not start it.
    if (lines.at(-1) !== ran) throw new Error(`no signal was sent: ${shortReason(lines.join(' '))}`);
    return lines;
  };

  /** While one exec runs for a container, orders of the same kind gather for the next. */
  const deliver = async (leader: Leader, signal: string, orders: Order[], key: string) => {
    while (orders.length > 0) {
      const batch = orders.splice(0, maxBatch);
      try {
        const lines = await run(leader, sessionScript, [signal, batch.map(({ pid }) => pid).join(' ')]);
        const found = new Set(lines);
        for (const { pid, resolve } of batch) resolve(found.has(String(pid)));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    waiting.delete(key);
  };

  return {
    async signalGroup(leader, signal) {
      await run(leader, groupScript, [signal, String(leader.pid)]);
    },
    signalSession: (leader, signal) =>
      new Promise((resolve, reject) => {
        const key = JSON.stringify([
          leader.containerId,
          leader.startedAt,
          leader.engineUser,
          leader.shell,
          signal,
        ]);
        const order = { pid: leader.pid, resolve, reject };
        const orders = waiting.get(key);
        if (orders) return void orders.push(order);
        const fresh = [order];
        waiting.set(key, fresh);
        void deliver(leader, signal, fresh, key);
      }),
    isPaused: ({ containerId }) => isPaused(engine, containerId),
  };
}

async function readOutput(engine: EngineApi, execId: string): Promise<string> {
  const stream = await engine.startExec(execId, false);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const read = createFrameReader((from, data) => {
    bytes += data.length;
    if (from === 'stdout' && bytes <= maxAnswerBytes) chunks.push(data);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the signal script did not end')), answerWithinMs);
      stream.on('close', () => clearTimeout(timer));
      stream.on('data', (chunk: Buffer) => {
        try {
          read(chunk);
        } catch (error) {
          reject(error);
        }
      });
      stream.on('end', resolve).on('close', resolve).on('error', reject);
    });
  } finally {
    stream.destroy();
  }
  return Buffer.concat(chunks).toString('latin1');
}
