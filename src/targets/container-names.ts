/** Names that containers have taken, or speak of. */
import type { ContainerEngine } from './target.ts';
import { ownersOf } from './visibility.ts';

/** A container's label may name an account before it exists; whoever joins may not choose that name. */
export const isOwnerLabelOf = (engine: ContainerEngine) => async (name: string) => {
  const containers = await engine.list();
  return containers.some((container) => ownersOf(container).includes(name));
};

/** With the engine away a host may get a container's name; the container still goes first. */
export const isContainerNameOf = (engine: ContainerEngine) => async (name: string) => {
  const containers = await engine.list().catch(() => []);
  return containers.some((container) => container.name.toLowerCase() === name.toLowerCase());
};
