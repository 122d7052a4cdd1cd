/**
 * What is counted and timed besides the audit's events, by whoever does it. No call throws, waits or costs more than an
 * addition; no argument is a name that a peer or a member chose, for each value is a series of its own.
 */
export interface Meter {
  /** `jump`: inside a channel of another. */
  connectionOpened(kind: ConnectionKind): void;
  connectionClosed(kind: ConnectionKind): void;
  /** Closed before anything was read. */
  connectionRefused(reason: string): void;
  /** `route`: the pattern, never the path that was asked for. */
  httpAnswered(request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** A call of the Docker Engine's API, until its answer began; `failure`: why there was none that could be used. */
  engineCalled(operation: string, seconds: number, failure?: string): void;
  /** From the request to the program's start in a container. */
  programStarted(way: ProgramWay, seconds: number): void;
  storeWorked(operation: 'transaction' | 'flush', seconds: number, failed: boolean): void;
  /** A fault of ours that nothing else caught, and what it ended. */
  faultCaught(ended: 'connection' | 'gateway'): void;
  /** A source must wait. */
  penaltyGiven(reason: string): void;
}

export type ConnectionKind = 'ssh' | 'jump';
/** By an exec of its own, through a resident, or in a spare. */
export type ProgramWay = 'exec' | 'resident' | 'spare';

const ignore = () => {};

/** Where nobody reads metrics. */
export const noMeter: Meter = {
  connectionOpened: ignore,
  connectionClosed: ignore,
  connectionRefused: ignore,
  httpAnswered: ignore,
  engineCalled: ignore,
  programStarted: ignore,
  storeWorked: ignore,
  faultCaught: ignore,
  penaltyGiven: ignore,
};

/** Seconds since it was made. */
export function stopwatch(): () => number {
  const startedAtMs = performance.now();
  return () => (performance.now() - startedAtMs) / 1000;
}
