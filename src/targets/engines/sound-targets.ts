/** What a registered engine says of its containers, believed no further than it must be, and under names that are its own. */
import { excerpt } from '../../platform/excerpt.ts';
import type { ContainerTarget } from '../target.ts';

const maxContainers = 10_000;
const maxLabels = 256;
const maxTextLength = 512;

/** Docker's RestrictedNamePattern. */
const mayBeName = (name: unknown): name is string =>
  typeof name === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(name);
const mayBeId = (id: unknown): id is string => typeof id === 'string' && /^[0-9a-f]{64}$/.test(id);

/** Those that could be containers, as `ENGINE/NAME`. Pure. */
export function soundTargets(
  engine: string,
  targets: readonly ContainerTarget[],
): readonly ContainerTarget[] {
  return targets
    .slice(0, maxContainers)
    .filter(({ id, name }) => mayBeId(id) && mayBeName(name))
    .map((target) => ({
      kind: 'container',
      id: target.id,
      name: `${engine}/${target.name}`,
      engine,
      key: `container:${engine}/${target.name}`,
      image: text(target.image),
      state: text(target.state),
      status: text(target.status),
      labels: soundLabels(target.labels),
      ...(typeof target.address === 'string' ? { address: text(target.address) } : {}),
      networkMode: text(target.networkMode),
      createdAt: text(target.createdAt),
    }));
}

const text = (value: unknown): string => (typeof value === 'string' ? excerpt(value, maxTextLength) : '');

function soundLabels(labels: unknown): Readonly<Record<string, string>> {
  if (typeof labels !== 'object' || labels === null) return {};
  const sound = Object.entries(labels).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(sound.slice(0, maxLabels)) as Record<string, string>;
}
