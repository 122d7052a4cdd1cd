/**
 * Tokens' rates over all gateways on one database. Each has the whole bucket of a key, tells the database what was taken from
 * it, and hears what is left for all: at once where much was taken, else four times a second. So nobody waits for the
 * database but who takes much at once, and what was taken too much at one place is owed at all.
 */
import type { OwnTokenRate, TokenRate } from '../auth/token-rate.ts';
import type { OtherGateways, SpentRate } from './other-gateways.ts';

export interface TokenRateAcrossOptions {
  readonly others: Pick<OtherGateways, 'spend'>;
  readonly own: OwnTokenRate;
  /** Those of `own`, read at each use. */
  readonly perSecond: number;
  readonly burst: number;
}

const tellEveryMs = 250;
/** What all gateways together may have taken that the others have not heard of. */
const untoldShare = 0.2;
/** Until the database says how many there are. */
const gatewaysAtFirst = 4;
const atOnce = 1_000;

export function tokenRateAcross(options: TokenRateAcrossOptions): TokenRate {
  const { others, own } = options;
  const spent = createSpent();
  let gateways = gatewaysAtFirst;
  let isAway = false;
  const isTooMuch = (key: string) =>
    !isAway && spent.unheard(key) >= Math.max(1, Math.floor((options.burst * untoldShare) / gateways));

  async function tellSome(): Promise<void> {
    const { perSecond, burst } = options;
    const told = spent.takeNext();
    try {
      const heard = await others.spend(told, perSecond);
      for (const [index, { key }] of told.entries()) {
        own.lower(key, burst - (heard.seconds[index] ?? 0) * perSecond - spent.untold(key));
      }
      [gateways, isAway] = [heard.gateways, false];
    } catch {
      // Until it answers, each gateway counts for itself; what was taken meanwhile is long filled up by then.
      isAway = true;
    } finally {
      spent.heard();
    }
  }
  const { tell, tellSoon } = createTelling(tellSome, spent.isUntold);

  return {
    async take(key) {
      while (isTooMuch(key)) await tell();
      const secondsLeft = own.takeNow(key);
      if (secondsLeft > 0) return secondsLeft;
      spent.add(key);
      if (isTooMuch(key)) void tell();
      else tellSoon();
      return 0;
    },
  };
}

/** What was taken from each key's bucket, and not told; and what is being told. */
function createSpent() {
  const untold = new Map<string, number>();
  const onItsWay = new Map<string, number>();
  return {
    add: (key: string) => void untold.set(key, (untold.get(key) ?? 0) + 1),
    untold: (key: string) => untold.get(key) ?? 0,
    isUntold: () => untold.size > 0,
    unheard: (key: string) => (untold.get(key) ?? 0) + (onItsWay.get(key) ?? 0),
    takeNext(): readonly SpentRate[] {
      for (const [key, count] of [...untold].slice(0, atOnce)) {
        untold.delete(key);
        onItsWay.set(key, count);
      }
      return [...onItsWay].map(([key, count]) => ({ key, count }));
    },
    heard: () => onItsWay.clear(),
  };
}

/** One at a time; what comes meanwhile goes with the next. */
function createTelling(tellSome: () => Promise<void>, isUntold: () => boolean) {
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;
  function tell(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    telling ??= tellSome().finally(() => {
      telling = undefined;
      if (isUntold()) tellSoon();
    });
    return telling;
  }
  function tellSoon(): void {
    timer ??= setTimeout(() => void tell(), tellEveryMs).unref();
  }
  return { tell, tellSoon };
}
