/** Starts what is ordered: by a launcher that waits for such a program, or by one of its own. Imports nothing but Node. */
import { closePipes, type PipeSource } from './pipes.ts';
import type { ProgramOrder, WaitingLauncher } from './program-order.ts';
import { type Started, startProgram } from './start-program.ts';
import { createWaitingLaunchers } from './waiting-launchers.ts';

export interface Starter {
  /** Rejects with the system's error. Undefined where nobody wants it any more. */
  start(order: ProgramOrder, isWanted: () => boolean): Promise<Started | undefined>;
  /** Nothing waits any more. */
  end(): void;
}

/** `baseEnv`: of every program, before what is ordered. `pipes`: undefined where the image has no shell. */
export function createStarter(baseEnv: NodeJS.ProcessEnv, pipes: PipeSource | undefined): Starter {
  const launchers = createWaitingLaunchers(async (how) => startProgram(how, baseEnv, await pipes?.take()));

  function takeWaiting(order: ProgramOrder): Started | undefined {
    const { waiting } = order;
    const started = waiting && launchers.take(howToWait(order, waiting));
    started?.stdio[0].write(waiting?.told ?? '');
    return started;
  }

  async function startAnew(order: ProgramOrder, isWanted: () => boolean): Promise<Started | undefined> {
    const made = await pipes?.take();
    if (isWanted()) return startProgram(order, baseEnv, made);
    if (made) closePipes(made);
    return undefined;
  }

  return {
    async start(order, isWanted) {
      if (!isWanted()) return undefined;
      const started = takeWaiting(order) ?? (await startAnew(order, isWanted));
      if (started && order.waiting) launchers.prepare(howToWait(order, order.waiting));
      return started;
    },
    end: launchers.end,
  };
}

const howToWait = ({ env, cwd }: ProgramOrder, { argv }: WaitingLauncher) => ({ argv, env, cwd });
