/**
 * What keeper and supervisor say to each other, by Node's channel between parent and child. Both sides may be of different
 * versions, one before or after the other: what one does not know it passes over.
 */

/** Told by `begin`. A supervisor that knows no keeper of this protocol says so and ends. */
export const keeperProtocol = 1;

/** A socket that listens, and stays open while supervisors come and go. */
export interface HeldSocket {
  /** `ssh`, `http`, `health` or `metrics`. */
  readonly name: string;
  /** The configuration value by which it was opened; unset where the service manager opened it. */
  readonly at?: string;
  /** In the supervisor. */
  readonly fd: number;
}

/**
 * `restart`: another supervisor is in charge, so only prepare, say so, and wait for `take-over`. `again`: after one that
 * ended in order to be replaced. `crash`: after one that did not.
 */
export type Why = 'first' | 'again' | 'crash' | 'restart';

export interface Begin {
  readonly kind: 'begin';
  readonly protocol: number;
  /** Counts the supervisors. */
  readonly generation: number;
  readonly sockets: readonly HeldSocket[];
  /** In the supervisor: at its end of file the keeper is gone. */
  readonly lifelineFd: number;
  readonly why: Why;
  /** What the one before handed over, or had remembered. */
  readonly memory?: unknown;
  /** The last that one was in charge with. */
  readonly configuration?: unknown;
}

export type ToSupervisor =
  | Begin
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  /** The restart that it asked for was not made. */
  | { readonly kind: 'restart-refused'; readonly problem: string }
  /** Its successor is prepared: begin nothing more, close what only one may have open, and answer `handed-over`. */
  | { readonly kind: 'hand-over' }
  /** `memory`: of the one before, if it was able to say it. */
  | { readonly kind: 'take-over'; readonly memory?: unknown }
  /** Its successor is in charge. */
  | { readonly kind: 'retired' };

export type FromSupervisor =
  /** With the handle of a socket that listens, for it to be held. */
  | { readonly kind: 'listening'; readonly name: string; readonly at: string }
  | { readonly kind: 'prepared' }
  /** In charge, and open; `sockets`: the names of those it accepts on. */
  | { readonly kind: 'ready'; readonly sockets: readonly string[] }
  /** Why it cannot take over; it ends. */
  | { readonly kind: 'refused'; readonly problem: string }
  /** Start another one in its place. */
  | { readonly kind: 'restart' }
  /** What its successor must know if it crashes. */
  | { readonly kind: 'remember'; readonly memory: unknown }
  /** What is in force from now on: it serves whoever is started after a crash or a restore, if what is written by then has a mistake. */
  | { readonly kind: 'in-force'; readonly configuration: unknown }
  | { readonly kind: 'handed-over'; readonly memory?: unknown }
  /** It lets nobody in any more, and its end is the keeper's. */
  | { readonly kind: 'stopping' }
  /** It ends, for another to be started in its place. */
  | { readonly kind: 'again' };
