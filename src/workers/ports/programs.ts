/** Programs in containers that would outlive the worker that began them: its supervisor knows them, and ends them if it dies. */
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import { asCount, asList, createHoldings, type ServedPort } from './served-port.ts';

const method = { began: 'programs.began', ended: 'programs.ended', running: 'programs.running' } as const;

/** Of a program that has begun, as plain data; the returned function says that it has ended. */
export type OnProgram = (program: unknown) => () => void;

/** To be called in the turn of `openSteadyPeer`. */
export function programsOverIpc(supervisor: SteadyPeer): OnProgram {
  const running = new Map<number, unknown>();
  let last = 0;
  supervisor.onConnect((peer) => peer.notify(method.running, [...running]));
  return (program) => {
    last += 1;
    const number = last;
    running.set(number, program);
    supervisor.notify(method.began, [number, program]);
    return () => {
      if (running.delete(number)) supervisor.notify(method.ended, number);
    };
  };
}

export function servePrograms(end: (programs: readonly unknown[]) => void): ServedPort {
  const holdings = createHoldings(() => new Map<number, unknown>());
  return {
    handlersFor(worker) {
      const running = holdings.of(worker);
      const note = (params: unknown) => {
        const [number, program] = asList(params);
        running.set(asCount(number), program);
      };
      return [
        [method.began, note],
        [method.ended, (number) => void running.delete(asCount(number))],
        [
          method.running,
          (params) => {
            running.clear();
            for (const each of asList(params)) note(each);
          },
        ],
      ];
    },
    gone(worker) {
      end([...(holdings.take(worker)?.values() ?? [])]);
    },
  };
}
