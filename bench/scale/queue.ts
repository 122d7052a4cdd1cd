/** Servers with one queue before them: the processors of a gateway or of the database, the lock of all its writers. */
import type { Agenda } from './events.ts';

export interface Queue {
  /** `seconds` of one server; `then` when they are over, with what was waited before. */
  take(seconds: number, then: (waitedSeconds: number) => void): void;
  readonly waiting: number;
  /** Seconds of servers so far. */
  readonly busySeconds: number;
}

interface Job {
  readonly since: number;
  readonly seconds: number;
  readonly then: (waitedSeconds: number) => void;
}

/** First come, first served. */
export function createQueue(agenda: Agenda, servers: number): Queue {
  let jobs: Job[] = [];
  let first = 0;
  let free = servers;
  let busySeconds = 0;
  function serve({ since, seconds, then }: Job): void {
    free--;
    busySeconds += seconds;
    const waited = agenda.now() - since;
    agenda.in(seconds, () => {
      free++;
      const next = jobs[first];
      if (next) {
        first++;
        serve(next);
      } else if (first > 0) {
        jobs = [];
        first = 0;
      }
      then(waited);
    });
  }
  return {
    take(seconds, then) {
      const job = { since: agenda.now(), seconds, then };
      if (free > 0) serve(job);
      else jobs.push(job);
    },
    get waiting() {
      return jobs.length - first;
    },
    get busySeconds() {
      return busySeconds;
    },
  };
}
