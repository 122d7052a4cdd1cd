/** The penalties of the whole gateway, for those of its processes that do not keep them: plain data. */
import { GatewayError } from '../errors.ts';
import type { Enforced, Offence, Penalties, Penalty } from './penalties.ts';

export interface ListedPenalties {
  /** Longest first. */
  readonly penalties: readonly Penalty[];
  /** Of how many sources something is remembered. */
  readonly total: number;
  /** How often somebody was refused, in all. */
  readonly refused: number;
}

export interface GatewayPenalties {
  /** Resolves when it counts. */
  penalise(address: string, offence: Offence): Promise<void>;
  /** Undefined: the source may come in. What is returned counts as a refusal. */
  refuse(address: string): Promise<Enforced | undefined>;
  list(limit: number): Promise<ListedPenalties>;
  /** Forgets what the source of `address` has earned; false where that is nothing. */
  clear(address: string): Promise<boolean>;
  /** Resolves to how many there were. */
  clearAll(): Promise<number>;
}

export const gatewayPenalties = (penalties: Penalties): GatewayPenalties => ({
  penalise: async (address, offence) => penalties.penalise(address, offence),
  refuse: async (address) => penalties.refuse(address),
  list: async (limit) => ({
    penalties: penalties.list(limit),
    total: penalties.size(),
    refused: penalties.refusedCount(),
  }),
  clear: async (address) => penalties.clear(address),
  clearAll: async () => penalties.clearAll(),
});

/** Throws penalised for a source that is refused now. */
export async function checkPenalties(
  penalties: Pick<GatewayPenalties, 'refuse'>,
  address: string,
): Promise<void> {
  const enforced = await penalties.refuse(address);
  if (enforced) throw new GatewayError('penalised', { seconds: Math.max(1, enforced.secondsLeft) });
}
