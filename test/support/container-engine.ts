/** The container engine under test, over the machine's real one. */
import pino from 'pino';
import {
  type ContainerEngineOptions,
  createContainerEngine,
} from '../../src/targets/container/create-container-engine.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';

export function createTestEngine(options: Partial<ContainerEngineOptions> = {}): ContainerEngine {
  return createContainerEngine({
    docker: undefined,
    acceptEnv: ['LANG', 'LC_*'],
    hangupGraceMs: 1_000,
    log: pino({ level: 'silent' }),
    ...options,
  });
}
