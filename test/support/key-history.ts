/**
 * What people did with keys on several gateways, and whether one store can have answered so. Times are of one steady clock. A
 * key is added once, perhaps, and removed once, perhaps.
 */

/** `unknown`: the gateway died, or could not tell; it may have been made. */
export type ChangeOutcome = 'made' | 'refused' | 'unknown';

export interface TimedChange {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly outcome: ChangeOutcome;
}

export interface TimedLogin {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** `away`: no answer that says anything about the key. */
  readonly outcome: 'in' | 'denied' | 'away';
  /** Which gateway. */
  readonly at: string;
}

export interface KeyHistory {
  readonly name: string;
  added?: TimedChange;
  removed?: TimedChange;
  readonly logins: TimedLogin[];
}

/** For how long a key that was removed on one gateway may still be good on another. */
export const propagationMs = 1_000;

/** Sentences about what no store can have answered; none if all is well. */
export function findContradictions(
  histories: readonly KeyHistory[],
  listedAtEnd: ReadonlySet<string>,
): readonly string[] {
  return histories.flatMap((history) => [...ofLogins(history), ...ofEnd(history, listedAtEnd)]);
}

function ofLogins({ name, added, removed, logins }: KeyHistory): string[] {
  return logins.flatMap((login) => {
    const { startedAtMs, endedAtMs, outcome, at } = login;
    const mayBeThere = added !== undefined && added.outcome !== 'refused' && added.startedAtMs < endedAtMs;
    const isGone = removed?.outcome === 'made' && removed.endedAtMs + propagationMs < startedAtMs;
    if (outcome === 'in' && !mayBeThere) return [`${name} came in at ${at} without having been added`];
    if (outcome === 'in' && isGone) {
      const lateMs = Math.round(startedAtMs - removed.endedAtMs);
      return [`${name} came in at ${at} ${lateMs} ms after it was removed`];
    }
    const isThere = added?.outcome === 'made' && added.endedAtMs < startedAtMs;
    const mayBeGone =
      removed !== undefined && removed.outcome !== 'refused' && removed.startedAtMs < endedAtMs;
    if (outcome === 'denied' && isThere && !mayBeGone)
      return [`${name} was denied at ${at} though it was added`];
    return [];
  });
}

function ofEnd({ name, added, removed }: KeyHistory, listed: ReadonlySet<string>): string[] {
  const isListed = listed.has(name);
  const mayBeGone = removed !== undefined && removed.outcome !== 'refused';
  if (added?.outcome === 'made' && !mayBeGone && !isListed) return [`${name} was added, and is lost`];
  if (removed?.outcome === 'made' && isListed) return [`${name} was removed, and is there`];
  if (added?.outcome === 'refused' && isListed) return [`${name} was refused, and is there`];
  return [];
}
