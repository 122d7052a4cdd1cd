/** Between the processes of one gateway. */
import { row } from './row.ts';

export const processesErrors = {
  /** `notBegun`: it has not even been sent, so it may be asked of another process. */
  'process-silent': row<{ reason: string; notBegun?: boolean }>(
    255,
    503,
    ({ reason }) => `another process of the gateway did not answer (${reason}); try again in a moment.`,
  ),
  'process-refused': row<{ problem: string }>(
    255,
    503,
    ({ problem }) => `a process of the gateway was refused by another: ${problem}.`,
  ),
} as const;
