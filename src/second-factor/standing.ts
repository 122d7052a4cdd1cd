/** How a connection stands with the second factor of its account, and the refusals that follow from it. */
import type { Identity } from '../auth/identity.ts';
import { GatewayError } from '../errors.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';

/** `remembered`: proven earlier, by the same key from the same address. */
export type SecondFactorProof = 'proven' | 'remembered';

export interface SecondFactorStanding {
  /** The account has one, confirmed: every login is asked for it. */
  readonly enrolled: boolean;
  /** The account must have one. */
  readonly required: boolean;
  /** What this connection has shown of it. */
  readonly proof: SecondFactorProof | undefined;
}

const provenLater = new WeakSet<Identity>();

/** The connection of this identity has given a right code after it was logged in. For `create-second-factors` alone. */
export function noteProof(identity: Identity): void {
  provenLater.add(identity);
}

/** Inside a jump the second factor counts once, on the outer connection. */
function proofOf(identity: Identity): SecondFactorProof | undefined {
  if (provenLater.has(identity)) return 'proven';
  return identity.outer ? proofOf(identity.outer) : identity.secondFactor;
}

export async function readStanding(
  store: Reader,
  identity: Identity,
  account: AccountRow,
): Promise<SecondFactorStanding> {
  const row = await store.get('secondFactors', account.id);
  return {
    enrolled: row?.confirmedAt !== undefined,
    required: account.secondFactorRequired === true,
    proof: proofOf(identity),
  };
}

/** Throws when the account must have a second factor and this connection has shown none. */
export function checkRequiredFactor({ required, enrolled, proof }: SecondFactorStanding): void {
  if (!required) return;
  if (!enrolled) throw new GatewayError('second-factor-missing', {});
  if (proof === undefined) throw new GatewayError('second-factor-unproven', { what: 'your account' });
}

/** Throws unless this very connection has proven it, where the account has one. */
export function checkProvenNow({ enrolled, proof }: SecondFactorStanding, what: string): void {
  if (enrolled && proof !== 'proven') throw new GatewayError('second-factor-unproven', { what });
}

/** Throws when a target asks for a second factor and the connection has shown none. */
export async function checkTargetFactor(
  store: Reader,
  { enrolled, proof }: SecondFactorStanding,
  target: { readonly key: string; readonly name: string },
): Promise<void> {
  if (proof !== undefined || !(await store.get('secondFactorTargets', target.key))) return;
  if (enrolled) throw new GatewayError('second-factor-unproven', { what: target.name });
  throw new GatewayError('second-factor-target', { target: target.name });
}
