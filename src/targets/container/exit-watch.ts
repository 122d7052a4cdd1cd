/**
 * Notices that a program has exited while something it left behind keeps its output open. The engine
 * tells nobody for 2 s (its exec_die event comes after that, too), so it is asked: soon after output
 * stops, then less and less often. What is missed here ends with the engine's own 2 s.
 */

export interface ExitWatch {
  /** Output came: counts as a sign of life, and starts the silence anew. */
  noteOutput(): void;
  stop(): void;
}

const askAfterSilenceMs = [100, 200, 400, 800];
/** A client that reads nothing must not let the engine's 2 s pass unnoticed: what is unread then is lost. */
const askWhileHeldMs = 500;
const silenceAfterExitMs = 100;

export function createExitWatch(facts: {
  /** Asks the engine. */
  readonly isRunning: () => Promise<boolean>;
  /** Output waits for the client: silence then means nothing. */
  readonly isHeld: () => boolean;
  readonly onExit: () => void;
  /** The program has exited and nothing came for 100 ms. */
  readonly onSilence: () => void;
}): ExitWatch {
  let asked = 0;
  let exited = false;
  let stopped = false;
  let timer = setTimeout(ask, askAfterSilenceMs[0]);

  function rearm(ms: number | undefined): void {
    clearTimeout(timer);
    if (!stopped && ms !== undefined) timer = setTimeout(exited ? settle : ask, ms);
  }
  async function ask(): Promise<void> {
    // No answer is no exit: the stream's own end tells the rest.
    const running = await facts.isRunning().catch(() => true);
    if (stopped || exited) return;
    if (running) {
      asked += 1;
      return rearm(facts.isHeld() ? askWhileHeldMs : askAfterSilenceMs[asked]);
    }
    exited = true;
    facts.onExit();
    rearm(silenceAfterExitMs);
  }
  function settle(): void {
    if (facts.isHeld()) rearm(silenceAfterExitMs);
    else facts.onSilence();
  }
  return {
    noteOutput() {
      asked = 0;
      rearm(exited ? silenceAfterExitMs : askAfterSilenceMs[0]);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
