export interface Deadline {
  /** From now on `ms` are left. */
  set(ms: number): void;
  clear(): void;
}

/** A time limit that may still be changed; `onPassed` is told how long it was at last. */
export function createDeadline(firstMs: number, onPassed: (ms: number) => void): Deadline {
  const start = (ms: number) => setTimeout(() => onPassed(ms), ms);
  let timer = start(firstMs);
  const clear = () => clearTimeout(timer);
  return {
    set(ms) {
      clear();
      timer = start(ms);
    },
    clear,
  };
}
