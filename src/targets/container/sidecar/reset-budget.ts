/**
 * How many streams may still be reset on one HTTP/2 connection: nghttp2 ends a server's connection, and all that runs over
 * it, when its client resets 1,000 streams and more than 33 a second, and this Node has no option for that.
 */

/** With what is open at a time, below what ends the connection. */
const wornAt = 300;
const forgottenPerSecond = 25;

export interface ResetBudget {
  /** Another stream was reset, or may have been. */
  note(): void;
  /** Nothing new should begin over that connection now. */
  readonly isWorn: boolean;
}

/** `now` in milliseconds, of a clock that never goes back. */
export function createResetBudget(now = () => performance.now()): ResetBudget {
  let level = 0;
  let at = now();
  const settle = () => {
    const passedMs = now() - at;
    at += passedMs;
    level = Math.max(0, level - (passedMs / 1_000) * forgottenPerSecond);
  };
  return {
    note() {
      settle();
      level++;
    },
    get isWorn() {
      settle();
      return level >= wornAt;
    },
  };
}
