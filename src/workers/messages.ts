/**
 * What a supervisor says to a worker that it started, by Node's channel between parent and child: sockets pass no other way.
 * Both are of one version. All else goes by `ipc`, because a worker outlives its supervisor.
 */
import type { Config } from '../config/config.ts';
import type { ConnectionEnds } from '../proxies/connection-ends.ts';
import type { Address } from '../sessions/session.ts';

/** What a worker is, from its first message on. */
export interface WorkerBegin {
  readonly kind: 'begin';
  /** Of this worker, and no other of the gateway: `GENERATION.COUNT`. */
  readonly id: string;
  readonly version: string;
  readonly config: Config;
  /** At its end of file the keeper is gone. */
  readonly lifelineFd: number;
}

/** Sent when the supervisor is in charge. */
export interface WorkerServe {
  readonly kind: 'serve';
  /** The configuration of now. */
  readonly config: Config;
  readonly sshAddress: Address;
  /** Where the supervisor listens for `ipc`. */
  readonly socketPath: string;
  /** The gateway is about to stop: health says so. */
  readonly isDraining: boolean;
}

/** With the socket. */
export interface PassedSsh {
  readonly kind: 'ssh';
  readonly connection: string;
  readonly ends: ConnectionEnds;
  /** Base64 of what was read behind a PROXY header. */
  readonly head: string;
}

/** With the socket. */
export interface PassedHttp {
  readonly kind: 'http';
  readonly connection: string;
}

/** No more sockets come: it leaves when those that it has are closed. */
export interface WorkerRetire {
  readonly kind: 'retire';
  /** After which it closes them. */
  readonly timeoutMs?: number;
}

export type ToWorker = WorkerBegin | WorkerServe | PassedSsh | PassedHttp | WorkerRetire;

export type FromWorker =
  /** It can be told to serve. */
  | { readonly kind: 'loaded' }
  /** It takes sockets. */
  | { readonly kind: 'serving' }
  /** It ends. */
  | { readonly kind: 'refused'; readonly problem: string };
