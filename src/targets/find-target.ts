/** What a name means among the targets somebody can reach; spec order, first step that matches. Pure. */
import type { ContainerTarget } from './target.ts';
import { ownLabel } from './visibility.ts';

type NamesOf = (target: ContainerTarget) => string | undefined;

/** By name first, so that nobody's label or id can shadow the name of another's. */
const nameSteps: readonly NamesOf[] = [
  (target) => target.name,
  (target) => ownLabel(target, 'rexec.name')?.trim() || undefined,
  (target) => target.id,
];

/** Those that `name` means: none, the one, or several of the same step. */
export function findTargets<T extends ContainerTarget>(targets: readonly T[], name: string): readonly T[] {
  for (const nameOf of nameSteps) {
    const exact = targets.filter((target) => nameOf(target) === name);
    if (exact.length > 0) return exact;
    // ssh lower-cases what it sends.
    const folded = targets.filter((target) => nameOf(target)?.toLowerCase() === name.toLowerCase());
    if (folded.length > 0) return folded;
  }
  const prefix = /^(?:cont_)?([0-9a-f]{6,64})$/i.exec(name)?.[1]?.toLowerCase();
  return prefix === undefined ? [] : targets.filter((target) => target.id.startsWith(prefix));
}
