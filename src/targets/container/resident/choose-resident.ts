/** Which sessions begin through a resident: those of somebody who has just had another one there. */
import type { Authorization } from '../../../auth/authorization.ts';
import type { ContainerTarget } from '../../target.ts';
import type { ContainerFacts } from '../container-facts.ts';
import type { SessionPlan } from '../session-plan.ts';
import type { Resident, Residents } from './create-residents.ts';

/** The resident to begin with; undefined: by an exec of its own. */
export type ChooseResident = (
  authorization: Authorization<ContainerTarget>,
  facts: ContainerFacts,
  plan: SessionPlan,
) => Promise<Resident | undefined>;

const anotherWithinMs = 60_000;
const maxNoted = 10_000;

/** `isOn`: false chooses none, ever. */
export function createChooseResident(residents: Residents, isOn: boolean): ChooseResident {
  const lastBegun = new Map<string, number>();

  const isAnother = (facts: ContainerFacts, { user }: SessionPlan): boolean => {
    const key = JSON.stringify([facts.id, user.engineUser ?? null]);
    const last = lastBegun.get(key) ?? Number.NEGATIVE_INFINITY;
    lastBegun.delete(key);
    lastBegun.set(key, performance.now());
    if (lastBegun.size > maxNoted) lastBegun.delete(lastBegun.keys().next().value as string);
    return performance.now() - last < anotherWithinMs;
  };

  return async (authorization, facts, plan) => {
    if (plan.tty || !isOn) return undefined;
    const ready = residents.findReady(authorization);
    if (ready) return ready.startsPrograms ? ready : undefined;
    // Without a shell nothing else can signal its programs, or end them: that is worth a wait.
    const isWorthWaiting = plan.signalShell === undefined;
    if (!isWorthWaiting && !isAnother(facts, plan)) return undefined;
    const opening = residents.open(authorization, facts, plan.user).then(
      () => residents.findReady(authorization),
      () => undefined,
    );
    return isWorthWaiting ? opening : undefined;
  };
}
