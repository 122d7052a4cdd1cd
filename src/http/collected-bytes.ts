/** What is kept of programs' outputs until their answers are out, counted for each account. */

export interface CollectedBytes {
  /** Whether `bytes` more may be kept; then they count. */
  take(accountId: string, bytes: number): boolean;
  giveBack(accountId: string, bytes: number): void;
}

export function createCollectedBytes(maxPerAccount: number): CollectedBytes {
  const kept = new Map<string, number>();
  return {
    take(accountId, bytes) {
      const all = (kept.get(accountId) ?? 0) + bytes;
      if (all > maxPerAccount) return false;
      kept.set(accountId, all);
      return true;
    },
    giveBack(accountId, bytes) {
      const left = (kept.get(accountId) ?? 0) - bytes;
      if (left > 0) kept.set(accountId, left);
      else kept.delete(accountId);
    },
  };
}
