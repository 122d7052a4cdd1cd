/** Brings one container's authorized_keys up to date, and does nothing where that is known to be so. */
import type { ListReachingKeys, ReachingKey } from '../auth/reaching-keys.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';
import type { ContainerEngine, ContainerTarget } from '../targets/target.ts';
import { ownLabel } from '../targets/visibility.ts';
import { authorizedKeysLine } from './authorized-keys-line.ts';
import type { SyncKeys, SyncMode, SyncOutcome } from './sync-keys.ts';
import { noteSynced, noteThere } from './synced-targets.ts';

export interface KeepInStepDependencies {
  readonly engine: Pick<ContainerEngine, 'list'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly listReachingKeys: ListReachingKeys;
  readonly syncKeys: SyncKeys;
  readonly config: Pick<Config, 'sync'>;
}

export interface KeepInStep {
  /** Undefined where there was nothing to do. Throws what `SyncKeys` throws. */
  update(containerId: string): Promise<SyncOutcome | undefined>;
  /** The container may have changed: its file is looked at again. */
  forget(containerId: string): void;
  /** Resolves to the containers as they are now; with `anew`, every file is looked at again. */
  list(anew: boolean): Promise<readonly ContainerTarget[]>;
}

export function createKeepInStep(dependencies: KeepInStepDependencies): KeepInStep {
  const { engine, store, clock, syncKeys, listReachingKeys } = dependencies;
  let targets = new Map<string, ContainerTarget>();
  /** What was written last. */
  const written = new Map<string, string>();
  /** Of the lists that are under way, which containers changed meanwhile: what these lists say of them may be old. */
  const listings = new Set<Set<string>>();

  return {
    async update(id) {
      const target = targets.get(id) ?? (await engine.list()).find((each) => each.id === id);
      if (!target) return undefined;
      await noteThere(store, target.key);
      const mode = await findMode(dependencies, target);
      if (mode === undefined || target.state !== 'running') return undefined;
      const { keys } = await listReachingKeys(target);
      let lines = linesOf(mode, keys);
      if (written.get(id) === lines) return undefined;
      await noteSynced(store, clock, target.key);
      // A sync that fails may have written.
      written.delete(id);
      const outcome = await syncKeys(target, mode, (listed) => {
        lines = linesOf(mode, listed);
      });
      written.set(id, lines);
      return outcome;
    },
    forget(id) {
      targets.delete(id);
      written.delete(id);
      for (const changed of listings) changed.add(id);
    },
    async list(anew) {
      const changed = new Set<string>();
      listings.add(changed);
      const listed = await engine.list().finally(() => listings.delete(changed));
      targets = new Map(listed.map((target) => [target.id, target]));
      for (const id of changed) targets.delete(id);
      for (const id of written.keys()) if (anew || !targets.has(id)) written.delete(id);
      return listed;
    },
  };
}

const linesOf = (mode: SyncMode, keys: readonly ReachingKey[]) =>
  JSON.stringify([mode, keys.map(authorizedKeysLine)]);

async function findMode(
  { config, store }: KeepInStepDependencies,
  target: ContainerTarget,
): Promise<SyncMode | undefined> {
  const isLabelled = /^(true|yes|on|1)$/i.test(ownLabel(target, 'rexec.sync')?.trim() ?? '');
  if (config.sync === 'all' || (config.sync === 'labelled' && isLabelled)) return 'all';
  return (await store.get('syncedTargets', target.key)) ? 'withdraw' : undefined;
}
