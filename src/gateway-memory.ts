/** What a supervisor remembers and its store does not: plain data, for whoever takes its place. */
import type { RememberedPenalties } from './auth/penalties.ts';
import type { RememberedRate } from './auth/token-rate.ts';
import type { MetricsData } from './metrics/create-metrics.ts';

export interface GatewayMemory {
  readonly penalties: RememberedPenalties;
  readonly tokenRate: RememberedRate;
  /** What processes have counted that are gone by then; empty where nobody asks for metrics. */
  readonly metrics: MetricsData;
}
