/** The part of the composition root that opens container engines: the configuration's, and those that are registered. */
import type { Logger } from 'pino';
import { splitWords } from './commands/interpreter/words.ts';
import type { Config } from './config/config.ts';
import { createEngines } from './engines/create-engines.ts';
import { createDialEngine } from './engines/dial-engine.ts';
import { GatewayError } from './errors.ts';
import type { Meter } from './metrics/meter.ts';
import type { Clock } from './platform/clock.ts';
import type { EngineRow } from './store/schema.ts';
import type { Store } from './store/store.ts';
import {
  type ContainerEngineOptions,
  createContainerEngine,
} from './targets/container/create-container-engine.ts';
import { createJoinedEngine } from './targets/engines/create-joined-engine.ts';
import { namedFaults } from './targets/engines/named-faults.ts';
import type { HostEngine } from './targets/host-engine.ts';
import type { ContainerEngine } from './targets/target.ts';

export interface EnginesParts {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly meter: Meter;
  readonly hostEngine: HostEngine;
  /** What tests put in the place of the configuration's engine. */
  readonly own?: ContainerEngine | undefined;
  /** As container engines tell it, with the id of the engine where that is a registered one. */
  readonly onProgram?: ContainerEngineOptions['onProgram'];
}

const tryWithinMs = 10_000;

export function openEngines({ config, store, clock, log, meter, hostEngine, own, onProgram }: EnginesParts) {
  const { docker, preparedIdleSeconds, dataDir } = config;
  const optionsWith = (own: Partial<ContainerEngineOptions>): ContainerEngineOptions => ({
    ...{ docker, log, splitWords, meter },
    ...own,
    get acceptEnv() {
      return config.acceptEnv;
    },
    get hangupGraceMs() {
      return config.hangupGraceMs;
    },
    prepares: preparedIdleSeconds > 0,
    ...(preparedIdleSeconds > 0 ? { residentIdleMs: preparedIdleSeconds * 1000 } : {}),
  });
  const withinMs = () => config.hostConnectTimeoutMs;
  const dialEngine = createDialEngine({ store, dataDir, hostEngine, withinMs });
  const openEngine = (row: EngineRow) =>
    createContainerEngine(
      optionsWith({
        dial: () => dialEngine(row),
        log: log.child({ engine: row.name }),
        onProgram: onProgram && ((program) => onProgram({ ...(program as object), engine: row.id })),
      }),
    );
  const tryEngine = (row: EngineRow) =>
    namedFaults(row.name, async () => {
      const tried = openEngine(row);
      // What is given up says so.
      const late = setTimeout(() => tried.close(), tryWithinMs);
      try {
        await tried.ping();
      } finally {
        clearTimeout(late);
        await tried.close();
      }
    });
  return {
    engine: createJoinedEngine({
      own: own ?? createContainerEngine(optionsWith({ onProgram })),
      store,
      openEngine,
      log,
    }),
    engines: createEngines({ store, clock, dataDir, tryEngine }),
    /** To the registered engine of that id. Throws engine-not-found, and engine-unavailable. */
    async dialEngine(id: string) {
      const row = await store.get('engines', id);
      if (!row) throw new GatewayError('engine-not-found', { engine: id });
      return dialEngine(row);
    },
  };
}
