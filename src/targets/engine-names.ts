/** One name space over several engines: which names mean a container, and which one leads to it alone. */
import type { ContainerTarget } from './target.ts';

/** What people call the engine of the configuration, where it must be told from others. */
export const ownEngineName = 'default';

const engineOf = ({ engine = ownEngineName }: ContainerTarget): string => engine;

/** Its name on its own engine. */
export const shortName = ({ name, engine }: ContainerTarget): string =>
  engine === undefined ? name : name.slice(engine.length + 1);

/** `ENGINE/NAME`: no container is called so, and none other means it. */
export const fullName = (target: ContainerTarget): string => `${engineOf(target)}/${shortName(target)}`;

/** The same for programs that take a slash for a path's, such as scp. A container of another engine may be called so. */
export const dottedName = (target: ContainerTarget): string => `${shortName(target)}.${engineOf(target)}`;

/** What leads to this very container and no later one of its name. */
export const handleOf = ({ engine, id }: Pick<ContainerTarget, 'engine' | 'id'>): string =>
  engine === undefined ? id : `${engine}/${id}`;

/** Whether `name` says which engine's container it means. */
export const saysEngine = (name: string, target: ContainerTarget): boolean =>
  target.engine === undefined ||
  [fullName(target), dottedName(target), handleOf(target)].includes(name.toLowerCase()) ||
  name === fullName(target) ||
  name === dottedName(target);

/**
 * With the shortest name that leads to each of them by ssh: its own, or else with its engine's name. `taken`: what means
 * something else before a registered engine's container.
 */
export function withLoginNames(
  targets: readonly ContainerTarget[],
  taken: ReadonlySet<string>,
): readonly ContainerTarget[] {
  if (targets.every(({ engine }) => engine === undefined)) return targets;
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const target of targets) {
    count(shortName(target).toLowerCase());
    count(dottedName(target).toLowerCase());
  }
  const isFree = (name: string) => counts.get(name.toLowerCase()) === 1 && !taken.has(name.toLowerCase());
  return targets.map((target) => {
    const short = shortName(target);
    const isOnlyOwn = target.engine === undefined && counts.get(short.toLowerCase()) === 1;
    if (isOnlyOwn) return target;
    const loginName = [short, dottedName(target)].find(isFree) ?? fullName(target);
    return { ...target, loginName };
  });
}
