/** What a name means among the targets somebody can reach; spec order, first step that matches. Pure. */
import { dottedName, fullName, handleOf, shortName } from './engine-names.ts';
import type { ContainerTarget } from './target.ts';
import { ownLabel } from './visibility.ts';

type NamesOf = (target: ContainerTarget) => readonly (string | undefined)[];

/** By name first, so that nobody's label or id can shadow the name of another's. */
const nameSteps: readonly NamesOf[] = [
  (target) => [shortName(target)],
  (target) => [ownLabel(target, 'rexec.name')?.trim() || undefined],
  (target) => [target.id],
];

/** Where there are several engines, nobody's name goes before another's that says which engine it means. */
const namesAmongEngines: readonly NamesOf[] = [
  (target) => [shortName(target), dottedName(target)],
  ...nameSteps.slice(1),
];

/** A slash is in no name but these: no label stands in for them. */
const fullNames: readonly NamesOf[] = [(target) => [fullName(target), handleOf(target)]];

/** Those that `name` means: none, the one, or several of the same step. */
export function findTargets<T extends ContainerTarget>(targets: readonly T[], name: string): readonly T[] {
  const hasEngines = targets.some(({ engine }) => engine !== undefined);
  if (hasEngines && name.includes('/')) return findBySteps(targets, name, fullNames);
  const found = findBySteps(targets, name, hasEngines ? namesAmongEngines : nameSteps);
  if (found.length > 0) return found.length > 1 && isId(name) ? ownFirst(found) : found;
  const prefix = /^(?:cont_)?([0-9a-f]{6,64})$/i.exec(name)?.[1]?.toLowerCase();
  return prefix === undefined ? [] : ownFirst(targets.filter((target) => target.id.startsWith(prefix)));
}

function findBySteps<T extends ContainerTarget>(
  targets: readonly T[],
  name: string,
  steps: readonly NamesOf[],
): readonly T[] {
  for (const namesOf of steps) {
    const exact = targets.filter((target) => namesOf(target).includes(name));
    if (exact.length > 0) return exact;
    // ssh lower-cases what it sends.
    const folded = targets.filter((target) =>
      namesOf(target).some((each) => each?.toLowerCase() === name.toLowerCase()),
    );
    if (folded.length > 0) return folded;
  }
  return [];
}

const isId = (name: string) => /^[0-9a-f]{64}$/i.test(name);

/** An id is its engine's word: a registered one's stands in nobody's way. */
function ownFirst<T extends ContainerTarget>(found: readonly T[]): readonly T[] {
  const own = found.filter(({ engine }) => engine === undefined);
  return own.length > 0 ? own : found;
}
