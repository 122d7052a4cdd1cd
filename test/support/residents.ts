/** Residents under test, over the machine's real engine. */
import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import type { SessionHandler } from '../../src/sessions/session.ts';
import { createContainerFactsSource } from '../../src/targets/container/container-facts.ts';
import { createEngineApi } from '../../src/targets/container/engine-api.ts';
import { createResidents } from '../../src/targets/container/resident/create-residents.ts';
import { createWithImage } from '../../src/targets/container/sidecar/with-image.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from './container-engine.ts';
import { openEngine } from './engine.ts';
import { authorizationFor, runSession } from './session-io.ts';

/** `open` resolves to the resident of that user (default: the container's own) in a container. */
export function createTestResidents({ idleMs = 60_000, level = 'silent' } = {}) {
  const engine = createEngineApi({ kind: 'environment' });
  const log = pino({ level });
  const facts = createContainerFactsSource(engine);
  const residents = createResidents({ engine, withImage: createWithImage(engine), log, idleMs });
  const port = createTestEngine();
  return {
    residents,
    facts,
    async open(id: string, user?: string) {
      const [authorization, known] = await Promise.all([
        authorizationFor(port, id, user),
        facts.getFacts(id, ''),
      ]);
      return residents.open(authorization, known, await known.getUser(user));
    },
    async close() {
      await residents.close();
      await port.close();
      engine.close();
    },
  };
}

/** Ids of the holders that a container has now, running or not. */
export async function holdersOf(container: { readonly id: string }): Promise<readonly string[]> {
  const label = [`postern.holder.of=${container.id}`];
  const found = await openEngine().listContainers({ all: true, filters: { label } });
  return found.map(({ Id }) => Id);
}

/** Writes the command line of what started it: a resident's, or nothing. */
export const tellParent = 'cat /proc/$PPID/cmdline 2>/dev/null';

/** Sessions of that user in the container, each of which begins through a resident: it has come up when this resolves. */
export async function residentSession(
  engine: ContainerEngine,
  container: { readonly id: string },
  user?: string,
): Promise<SessionHandler> {
  const authorization = await authorizationFor(engine, container.id, user);
  const session = engine.openSession(authorization);
  for (let tries = 0; tries < 100; tries++) {
    const { stdout } = await runSession(session, tellParent);
    if (stdout.includes('resident')) return session;
    await pause(100);
  }
  throw new Error('no resident came up');
}
