const steps = 8;

/**
 * As setTimeout, for waiting for what this process reads itself: time in which its event loop stood still counts as an eighth of
 * `ms` at most, and between the eighths it reads. Otherwise an answer that had come in time would count as none, as
 * timers come before reading. Returns what stops it.
 */
export function setLoopTimeout(onPassed: () => void, ms: number): () => void {
  let left = steps;
  const step = () => {
    if (left-- === 0) onPassed();
    else timer = setTimeout(step, ms / steps);
  };
  let timer: NodeJS.Timeout | undefined;
  step();
  return () => clearTimeout(timer);
}
