/** Names that containers have taken, or speak of. */
import { type JoinedEngine, withRemembered } from './joined-engine.ts';
import { ownersOf } from './visibility.ts';

type Surveyed = Pick<JoinedEngine, 'survey'>;

/**
 * A container's label may name an account before it exists; whoever joins may not choose that name. Throws what an engine
 * answered whose containers nobody knows.
 */
export const isOwnerLabelOf = (engine: Surveyed) => async (name: string) => {
  const survey = await engine.survey({ patient: true });
  const unknown = survey.silent.find(({ remembered }) => remembered === undefined);
  if (unknown) throw unknown.fault;
  return withRemembered(survey).some((container) => ownersOf(container).includes(name));
};

/**
 * Of the engine that the configuration names: others stand behind hosts. With the engine away a host may get a container's
 * name; the container still goes first.
 */
export const isContainerNameOf = (engine: Surveyed) => async (name: string) => {
  const containers = withRemembered(await engine.survey());
  return containers.some((container) => container.name.toLowerCase() === name.toLowerCase());
};
