/**
 * Tokens' rates over all gateways on one database. Each has the whole bucket of a key, tells the database what was taken from
 * it, and hears what is left for all: at once where much was taken, else four times a second. So nobody waits for the
 * database but who takes much at once, and what was taken too much at one place is owed at all.
 */
import type { OwnTokenRate, TokenRate } from '../auth/token-rate.ts';
import type { OtherGateways } from './other-gateways.ts';

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
  /** Taken, and not told; and taken, and being told. */
  const untold = new Map<string, number>();
  const onItsWay = new Map<string, number>();
  let gateways = gatewaysAtFirst;
  let isAway = false;
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;

  const mostUntold = () => Math.max(1, Math.floor((options.burst * untoldShare) / gateways));
  const unheard = (key: string) => (untold.get(key) ?? 0) + (onItsWay.get(key) ?? 0);

  async function tellSome(): Promise<void> {
    for (const [key, count] of [...untold].slice(0, atOnce)) {
      untold.delete(key);
      onItsWay.set(key, count);
    }
    const spent = [...onItsWay].map(([key, count]) => ({ key, count }));
    try {
      const { perSecond, burst } = options;
      const heard = await others.spend(spent, perSecond);
      gateways = heard.gateways;
      for (const [index, { key }] of spent.entries()) {
        own.lower(key, burst - (heard.seconds[index] ?? 0) * perSecond - (untold.get(key) ?? 0));
      }
      isAway = false;
    } catch {
      // Until it answers, each gateway counts for itself; what was taken meanwhile is long filled up by then.
      isAway = true;
    } finally {
      onItsWay.clear();
    }
  }

  /** One at a time; what comes meanwhile goes with the next. */
  function tell(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    telling ??= tellSome().finally(() => {
      telling = undefined;
      if (untold.size > 0) tellSoon();
    });
    return telling;
  }

  function tellSoon(): void {
    timer ??= setTimeout(() => void tell(), tellEveryMs).unref();
  }

  return {
    async take(key) {
      while (!isAway && unheard(key) >= mostUntold()) await tell();
      const secondsLeft = own.takeNow(key);
      if (secondsLeft > 0) return secondsLeft;
      untold.set(key, (untold.get(key) ?? 0) + 1);
      if (!isAway && unheard(key) >= mostUntold()) void tell();
      else tellSoon();
      return 0;
    },
  };
}
