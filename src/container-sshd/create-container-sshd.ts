import type { Logger } from 'pino';
import { createListReachingKeys } from '../auth/reaching-keys.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../platform/clock.ts';
import type { Slots } from '../platform/slots.ts';
import type { Store } from '../store/store.ts';
import type { JoinedEngine } from '../targets/joined-engine.ts';
import { startAutoSync } from './auto-sync.ts';
import type { ContainerSshd } from './container-sshd.ts';
import { createInstallSshd } from './install-sshd.ts';
import { findSshdStatus } from './sshd-status.ts';
import { createSyncKeys } from './sync-keys.ts';
import { noteSynced } from './synced-targets.ts';

export interface ContainerSshdDependencies {
  readonly engine: Pick<JoinedEngine, 'runScript' | 'forEachEngine'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly slots: Slots;
  readonly config: Pick<Config, 'containers' | 'sync'>;
}

export interface OwnContainerSshd extends ContainerSshd {
  /** Keeps containers in step until the returned function is called. */
  startAutoSync(log: Logger): () => void;
}

export function createContainerSshd(dependencies: ContainerSshdDependencies): OwnContainerSshd {
  const { engine, store, clock, slots } = dependencies;
  const listReachingKeys = createListReachingKeys(dependencies);
  const syncKeys = createSyncKeys({ engine, listReachingKeys, slots });
  const installSshd = createInstallSshd(engine, slots);
  const sync: ContainerSshd['sync'] = async (target) => {
    await noteSynced(store, clock, target.key);
    return syncKeys(target, 'all');
  };
  return {
    findStatus: (target) => findSshdStatus(engine, target),
    async install(target, options) {
      await installSshd(target, options);
      return sync(target);
    },
    sync,
    startAutoSync: (log) =>
      engine.forEachEngine((each) =>
        startAutoSync({ ...dependencies, engine: each, listReachingKeys, syncKeys, log }),
      ),
  };
}
