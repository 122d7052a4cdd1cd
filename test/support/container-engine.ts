/** The container engine under test, over the machine's real one. */
import pino from 'pino';
import type { SessionHandler } from '../../src/sessions/session.ts';
import type { Store } from '../../src/store/store.ts';
import {
  type ContainerEngineOptions,
  createContainerEngine,
} from '../../src/targets/container/create-container-engine.ts';
import { createJoinedEngine } from '../../src/targets/engines/create-joined-engine.ts';
import type { JoinedEngine } from '../../src/targets/joined-engine.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { runContainer, type TestContainer } from './containers.ts';
import { forAllTests } from './lifetimes.ts';
import { authorizationFor } from './session-io.ts';

export function createTestEngine(options: Partial<ContainerEngineOptions> = {}): ContainerEngine {
  return createContainerEngine({
    docker: undefined,
    acceptEnv: ['LANG', 'LC_*'],
    hangupGraceMs: 1_000,
    log: pino({ level: 'silent' }),
    ...options,
  });
}

/** Together with the engines that the store has, which are opened by their url alone. */
export const joinedTestEngine = (own: ContainerEngine, store: Store): JoinedEngine =>
  createJoinedEngine({
    own,
    store,
    openEngine: ({ url }) => createTestEngine({ docker: url }),
    log: pino({ level: 'silent' }),
  });

/** An engine and a container of `image` for all tests of a describe; `session` runs in it as its default user. */
export const containerForAllTests = (
  image: string,
  options: Partial<ContainerEngineOptions> = {},
  wrap: (session: SessionHandler, container: TestContainer) => SessionHandler = (session) => session,
) =>
  forAllTests(
    async () => {
      const engine = createTestEngine(options);
      const container = await runContainer(image);
      const session = wrap(engine.openSession(await authorizationFor(engine, container.id)), container);
      return { engine, container, session };
    },
    async ({ engine, container }) => {
      await engine.close();
      await container.remove();
    },
  );
