/** Workers of supervisors before this one, which read the store through caches until they hear of changes again. */
import type { WorkerIdentity } from './orders.ts';
import { endOfProcess, killProcess } from './process-end.ts';

type Known = Pick<WorkerIdentity, 'id' | 'pid'>;

export interface ReturnOfWorkers {
  /** Resolves when each is back, or has ended. */
  readonly settled: Promise<unknown>;
  /** Those that are neither. */
  missing(): readonly Known[];
  /** They can find us from now on; those that are not back within `patienceMs` are ended. */
  begin(onEnded: (id: string, pid: number) => void): void;
  /** One is told of changes again. */
  back(id: string): void;
}

export function createReturn(workers: readonly Known[], patienceMs: number): ReturnOfWorkers {
  const settled = Promise.withResolvers<unknown>();
  let waits: Map<string, () => void> | undefined;
  // Where nobody gets so far as to hear of them, nobody waits for ever.
  setTimeout(() => settled.resolve(undefined), workers.length > 0 ? 2 * patienceMs : 0).unref();
  return {
    settled: settled.promise,
    missing: () => workers.filter(({ id }) => waits?.has(id) ?? true),
    begin(onEnded) {
      const begun = new Map<string, () => void>();
      waits = begun;
      const all = workers.map(async ({ id, pid }) => {
        const isBack = new Promise<'back'>((resolve) => begun.set(id, () => resolve('back')));
        const patience = setTimeout(() => void killProcess(pid), patienceMs);
        const how = await Promise.race([isBack, endOfProcess(pid)]);
        clearTimeout(patience);
        begun.delete(id);
        if (how !== 'back') onEnded(id, pid);
      });
      settled.resolve(Promise.all(all));
    },
    back(id) {
      waits?.get(id)?.();
      waits?.delete(id);
    },
  };
}
