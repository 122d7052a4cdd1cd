/** Metrics of several processes as those of one. */
import { AggregatorRegistry } from 'prom-client';
import type { Metrics, MetricsData } from './create-metrics.ts';

export interface JoinedMetrics {
  /** Of processes that are gone: what they have counted goes on to count. */
  depart(data: MetricsData): void;
  departed(): Promise<MetricsData>;
  page(data: readonly MetricsData[]): ReturnType<Metrics['page']>;
}

/** A gauge says how something is now: of who is gone, nothing is. */
const staysOf = (data: MetricsData) => data.filter(({ type }) => kept.has(String(type)));
const kept: ReadonlySet<string> = new Set(['counter', 'histogram']);

export function joinMetrics(before: MetricsData): JoinedMetrics {
  let departed = before;
  const join = (all: readonly MetricsData[]) =>
    AggregatorRegistry.aggregate(all.filter(({ length }) => length > 0) as object[][]);
  let joining: Promise<void> = Promise.resolve();
  return {
    depart(data) {
      // One after the other: the sum is made of the one before.
      joining = joining.then(async () => {
        departed = staysOf((await join([departed, data]).getMetricsAsJSON()) as MetricsData);
      });
    },
    async departed() {
      await joining;
      return departed;
    },
    async page(data) {
      await joining;
      const joined = join([...data, departed]);
      return { contentType: joined.contentType, text: await joined.metrics() };
    },
  };
}
