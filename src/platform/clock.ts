/** Time, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** For what only runs off: from an origin of its own, and no change of the machine's time touches it. */
export const steadyClock: Clock = { now: () => performance.now() };

/** ISO 8601 in UTC with seconds, as written into the store and into JSON. */
export function isoTime(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
