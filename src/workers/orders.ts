/** What supervisor and workers ask of each other by `ipc`, beside what their ports do. Whoever changes it: see `ipc/hello.ts`. */

import type { Offence } from '../auth/penalties.ts';
import type { Config } from '../config/config.ts';

/** What a worker says of itself with its hello. */
export interface WorkerIdentity {
  readonly id: string;
  readonly pid: number;
  readonly version: string;
}

/** Of the supervisor to a worker. */
export const orders = {
  /** Answered at once, by whoever lives. */
  ping: 'worker.ping',
  /** Takes over what is live of a configuration, and reads the host keys anew. */
  renew: 'worker.renew',
  /** `drain` is to follow: health says so from now on, and whoever comes is let in. Told, not asked: a worker from before this order goes on. */
  announceDrain: 'worker.announce-drain',
  /** Lets nobody in any more. Answered when nothing runs, or the time is over. */
  drain: 'worker.drain',
  /** Ends the wait of `drain`. */
  hurry: 'worker.hurry',
  /** Of one that gets no more sockets: after a time it closes what it has. Told, not asked, as `drain`'s announcement. */
  retire: 'worker.retire',
  /** Ends everything, then the process. Answered when all connections are closed. */
  close: 'worker.close',
} as const;

export interface RenewOrder {
  /** Of perhaps another version. */
  readonly config: Config;
  /** Those that it knows; those that are unset do not pass. */
  readonly keys?: readonly string[];
}

export interface DrainOrder {
  readonly timeoutMs: number;
}

export interface RetireOrder {
  readonly timeoutMs: number;
}

export interface CloseOrder {
  readonly graceMs: number;
  readonly reason: string;
}

/** Of a worker to the supervisor: notifications, but the last. */
export const news = {
  /** First on each connection, perhaps in parts: what it has open, whichever supervisor let it in. */
  held: 'connection.held',
  authenticated: 'connection.authenticated',
  left: 'connection.left',
  /** It has nothing left to do, and ends when this is answered. */
  leaving: 'worker.leaving',
} as const;

export interface HeldConnection {
  readonly connection: string;
  readonly kind: 'ssh' | 'http';
  /** The client's own address, of `http` its peer's. */
  readonly source?: string;
  readonly isAuthenticated: boolean;
}

export interface HeldNews {
  readonly connections: readonly HeldConnection[];
}

/** In one message. */
const maxHeldAtOnce = 1_000;

export const heldNews = (connections: readonly HeldConnection[]): HeldNews[] =>
  Array.from({ length: Math.ceil(connections.length / maxHeldAtOnce) }, (_, part) => ({
    connections: connections.slice(part * maxHeldAtOnce, (part + 1) * maxHeldAtOnce),
  }));

export interface AuthenticatedNews {
  readonly connection: string;
}

export interface LeftNews {
  readonly connection: string;
  readonly offence?: Offence;
  /** Whose offence: a supervisor after the one that let it in does not know. */
  readonly source?: string;
}

/** Undefined: it is none. */
export function parseWorkerIdentity(who: unknown): WorkerIdentity | undefined {
  const { id, pid, version } = (who ?? {}) as Partial<WorkerIdentity>;
  const isOne = typeof id === 'string' && /^[\d.]{1,40}$/.test(id) && Number.isSafeInteger(pid);
  return isOne && (pid as number) > 1 ? { id, pid: pid as number, version: String(version) } : undefined;
}
