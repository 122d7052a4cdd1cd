/** Closes what was opened, in reverse order; one failing closer does not keep the others open. */
export function createLifecycle() {
  const closers: ((graceMs: number) => Promise<void> | void)[] = [];
  let closing: Promise<void> | undefined;
  return {
    onClose(closer: (graceMs: number) => Promise<void> | void): void {
      closers.push(closer);
    },
    /** Idempotent. Rejects with the first failure after everything was tried. */
    close(graceMs = 0): Promise<void> {
      closing ??= (async () => {
        const failures: unknown[] = [];
        for (const closer of closers.reverse()) {
          try {
            await closer(graceMs);
          } catch (error) {
            failures.push(error);
          }
        }
        if (failures.length > 0) throw failures[0];
      })();
      return closing;
    },
  };
}
