/** Work that is named by an id: a few at a time, each once however often it is asked for, and again when it failed. */
export interface WorkQueue {
  /** While its work runs: once more afterwards. */
  add(id: string): void;
  close(): void;
}

export interface WorkQueueOptions {
  readonly work: (id: string) => Promise<void>;
  readonly concurrency: number;
  /** `attempt` counts from 1. Undefined: not again. */
  readonly retryAfterMs: (error: unknown, attempt: number, id: string) => number | undefined;
}

export function createWorkQueue({ work, concurrency, retryAfterMs }: WorkQueueOptions): WorkQueue {
  const waiting = new Set<string>();
  const running = new Set<string>();
  const retries = new Map<string, { attempt: number; timer?: NodeJS.Timeout }>();
  let isClosed = false;

  const fail = (id: string, error: unknown) => {
    const attempt = (retries.get(id)?.attempt ?? 0) + 1;
    const ms = isClosed ? undefined : retryAfterMs(error, attempt, id);
    if (ms === undefined) return void retries.delete(id);
    retries.set(id, { attempt, timer: setTimeout(() => add(id), ms).unref() });
  };
  const run = async (id: string) => {
    waiting.delete(id);
    running.add(id);
    clearTimeout(retries.get(id)?.timer);
    try {
      await work(id);
      retries.delete(id);
    } catch (error) {
      fail(id, error);
    }
    running.delete(id);
    begin();
  };
  const begin = () => {
    for (const id of waiting) {
      if (isClosed || running.size >= concurrency) return;
      if (!running.has(id)) void run(id);
    }
  };
  const add = (id: string) => {
    waiting.add(id);
    begin();
  };
  return {
    add,
    close() {
      isClosed = true;
      for (const { timer } of retries.values()) clearTimeout(timer);
    },
  };
}
