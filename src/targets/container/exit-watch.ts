/**
 * Notices that a program has exited while something it left behind keeps its output open. The engine
 * tells nobody for 2 s (its exec_die event comes after that, too), so it is asked: soon after output
 * stops, then less and less often. What is missed here ends with the engine's own 2 s, or is found out seldom, where the engine's
 * connection says nothing any more.
 */

export interface ExitWatch {
  /** Output came: a sign of life, though perhaps of a background child. */
  noteOutput(): void;
  stop(): void;
}

const askFirstMs = 100;
const askAfterSilenceMs = [askFirstMs, 200, 400, 800];
const askSeldomMs = 30_000;
/** Also while output flows without a pause, or waits for the client. */
const askAtLeastEveryMs = 1_000;
/** A client that reads nothing must not let the engine's 2 s pass unnoticed: what is unread then is lost. */
const askWhileHeldMs = 500;
const silenceAfterExitMs = 100;
/** What comes later is not the program's: all that was under way when it exited has been read by then. */
const outputAfterExitMs = 2_000;

export function createExitWatch(facts: {
  /** Asks the engine. */
  readonly isRunning: () => Promise<boolean>;
  /** Output waits for the client: silence then means nothing. */
  readonly isHeld: () => boolean;
  readonly onExit: () => void;
  /** The program has exited, and all its output has come. */
  readonly onComplete: () => void;
}): ExitWatch {
  let asked = 0;
  let exited = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let outputSince = Number.NEGATIVE_INFINITY;
  let asksSeldom = false;

  function rearm(ms: number): void {
    clearTimeout(timer);
    timer = stopped ? undefined : setTimeout(exited ? settle : ask, ms);
  }
  async function ask(): Promise<void> {
    outputSince = performance.now();
    // No answer is no exit: the stream's own end tells the rest.
    const running = await facts.isRunning().catch(() => true);
    if (stopped || exited) return;
    if (running) {
      asked += 1;
      const soonMs = facts.isHeld() ? askWhileHeldMs : askAfterSilenceMs[asked];
      asksSeldom = soonMs === undefined;
      return rearm(soonMs ?? askSeldomMs);
    }
    exited = true;
    facts.onExit();
    deadline = setTimeout(facts.onComplete, outputAfterExitMs);
    rearm(silenceAfterExitMs);
  }
  function settle(): void {
    if (facts.isHeld()) rearm(silenceAfterExitMs);
    else facts.onComplete();
  }
  rearm(askFirstMs);
  return {
    noteOutput() {
      asked = 0;
      if (exited) return rearm(silenceAfterExitMs);
      const now = performance.now();
      if (asksSeldom) outputSince = now;
      else if (now - outputSince > askAtLeastEveryMs) return;
      asksSeldom = false;
      rearm(askFirstMs);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(deadline);
    },
  };
}
