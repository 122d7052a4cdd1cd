/** What strangers can cause as often as they like must not fill a disk. */
import type { Clock } from '../platform/clock.ts';
import type { AuditSink } from './audit.ts';

/** Told of each source, and of all together: so many at once, and so many a second after that. */
const perSource = { burst: 500, perSecond: 1 };
const together = { burst: 2_000, perSecond: 20 };
const maxSources = 10_000;

const fromStrangers: ReadonlySet<string> = new Set([
  'login-refused',
  'connection-refused',
  'connection-closed',
  'source-penalised',
  'request-refused',
]);

interface Budget {
  left: number;
  readAtMs: number;
  /** Events that were not told since the last one that was. */
  untold: number;
}

/**
 * Passes events on to `sinks`, but of what strangers do only as much as the budget of their source and that of all
 * allow; `untold` in the next event of the source says how many were left out. `clock` must not go back.
 */
export function withinBudget(sinks: readonly AuditSink[], clock: Clock): AuditSink {
  const budgets = new Map<string, Budget>();
  const ofAll = fresh(together.burst, clock.now());

  function budgetOf(source: string): Budget {
    const budget = budgets.get(source) ?? fresh(perSource.burst, clock.now());
    // Put in anew, the first of the map is whoever was not heard of for longest.
    budgets.delete(source);
    budgets.set(source, budget);
    const [oldest] = budgets.keys();
    if (budgets.size > maxSources && oldest !== undefined) budgets.delete(oldest);
    return budget;
  }

  return (event, fields) => {
    let told = fields;
    const { source } = fields;
    if (fromStrangers.has(event) && typeof source === 'string') {
      const budget = budgetOf(source);
      refill(budget, perSource, clock.now());
      refill(ofAll, together, clock.now());
      if (budget.left < 1 || ofAll.left < 1) return void budget.untold++;
      budget.left--;
      ofAll.left--;
      if (budget.untold > 0) told = { ...fields, untold: budget.untold };
      budget.untold = 0;
    }
    for (const sink of sinks) sink(event, told);
  };
}

const fresh = (left: number, readAtMs: number): Budget => ({ left, readAtMs, untold: 0 });

function refill(budget: Budget, { burst, perSecond }: typeof perSource, nowMs: number): void {
  budget.left = Math.min(burst, budget.left + ((nowMs - budget.readAtMs) / 1000) * perSecond);
  budget.readAtMs = nowMs;
}
