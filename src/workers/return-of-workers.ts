/** Workers of supervisors before this one, which read the store through caches until they hear of changes again. */
import type { WorkerIdentity } from './orders.ts';
import { endOfProcess, killProcess } from './process-end.ts';

export interface ReturnOfWorkers {
  /** Resolves when each is back, or has ended. */
  readonly settled: Promise<unknown>;
  /** Those that are neither. */
  missing(): readonly Pick<WorkerIdentity, 'id' | 'pid'>[];
  /** One is told of changes again. */
  back(id: string): void;
}

/** Those that are not back within `patienceMs` are ended. */
export function awaitWorkers(
  workers: readonly Pick<WorkerIdentity, 'id' | 'pid'>[],
  patienceMs: number,
  onEnded: (id: string, pid: number) => void,
): ReturnOfWorkers {
  const waits = new Map<string, () => void>();
  const all = workers.map(async ({ id, pid }) => {
    const isBack = new Promise<'back'>((resolve) => waits.set(id, () => resolve('back')));
    const patience = setTimeout(() => void killProcess(pid), patienceMs);
    const how = await Promise.race([isBack, endOfProcess(pid)]);
    clearTimeout(patience);
    waits.delete(id);
    if (how !== 'back') onEnded(id, pid);
  });
  return {
    settled: Promise.all(all),
    missing: () => workers.filter(({ id }) => waits.has(id)),
    back(id) {
      waits.get(id)?.();
      waits.delete(id);
    },
  };
}
