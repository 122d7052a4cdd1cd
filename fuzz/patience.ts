/** Waiting that counts looks, not time: what passes while the whole machine stands still is one look. */

const lookEveryMs = 100;

/** Calls `act` once after `ms` in which this process, too, could work. Returns what stops that. Keeps no process alive. */
export function afterWorking(ms: number, act: () => void): () => void {
  let looksLeft = Math.ceil(ms / lookEveryMs);
  const timer = setInterval(() => {
    if (--looksLeft > 0) return;
    clearInterval(timer);
    act();
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
