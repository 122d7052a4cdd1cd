/** Pauses of whoever does something from time to time, which can be cut short. */
export interface Pauses {
  take(ms: number): Promise<void>;
  /** The one that is being taken. */
  cutShort(): void;
}

export function createPauses(): Pauses {
  let wake = () => {};
  return {
    take: (ms) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    cutShort: () => wake(),
  };
}
