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
import type { FindChanges, FollowChanges } from './workers/ports/changes.ts';

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
  /** Of a process that another follows engines for. */
  readonly followChanges?: FollowChanges | undefined;
}

const tryWithinMs = 10_000;

export function openEngines(parts: EnginesParts) {
  const { config, store, clock, log, meter, hostEngine, own, onProgram } = parts;
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
  const follow = (name: string | undefined): Partial<ContainerEngineOptions> => ({
    followChanges: (own) => parts.followChanges?.({ name, docker }, own) ?? own,
  });
  const dialEngine = createDialEngine({ store, dataDir, hostEngine, withinMs });
  const openEngine = (row: EngineRow) =>
    createContainerEngine(
      optionsWith({
        ...{ dial: () => dialEngine(row), log: log.child({ engine: row.name }) },
        onProgram: onProgram && ((program) => onProgram({ ...(program as object), engine: row.id })),
        ...follow(row.name),
      }),
    );
  const engine = createJoinedEngine({
    own: own ?? createContainerEngine(optionsWith({ onProgram, ...follow(undefined) })),
    store,
    openEngine,
    log,
  });
  // A worker of before a restart may have been configured with another engine than this process.
  const findChanges: FindChanges = async (followed) =>
    followed.name === undefined && followed.docker !== docker ? undefined : engine.findChanges(followed.name);
  return {
    engine,
    findChanges,
    engines: createEngines({ store, clock, dataDir, tryEngine: createTryEngine(openEngine) }),
    /** To the registered engine of that id. Throws engine-not-found, and engine-unavailable. */
    async dialEngine(id: string) {
      const row = await store.get('engines', id);
      if (!row) throw new GatewayError('engine-not-found', { engine: id });
      return dialEngine(row);
    },
  };
}

const createTryEngine = (openEngine: (row: EngineRow) => ContainerEngine) => (row: EngineRow) =>
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
