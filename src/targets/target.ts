/** The port: where a session can end. Implemented by `container/`, later by `remote-host/`. */
import type { Authorization } from '../auth/authorization.ts';
import type { SessionHandler } from '../sessions/session.ts';

export interface ContainerTarget {
  readonly kind: 'container';
  /** Full id, 64 hex digits. */
  readonly id: string;
  /** Docker's name, without the slash. */
  readonly name: string;
  /** `container:NAME`: what grants and tags hang on. */
  readonly key: string;
  readonly image: string;
  /** `running`, `exited`, `paused`, `created`, `restarting`, `dead`. */
  readonly state: string;
  /** For people: `Up 3 hours`. */
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Address in the engine's network, for information. */
  readonly address?: string;
  readonly networkMode: string;
  readonly createdAt: string;
}

/** Remote hosts join this union when they come. */
export type Target = ContainerTarget;

/** The engine behind container targets. */
export interface ContainerEngine {
  /** Every container, running or not. Throws `engine-unavailable`. */
  list(): Promise<readonly ContainerTarget[]>;
  start(id: string): Promise<void>;
  /** SIGTERM, then SIGKILL after the engine's own grace (10 s). */
  stop(id: string): Promise<void>;
  restart(id: string): Promise<void>;
  /** A handler for one session in the container that was authorized. */
  openSession(authorization: Authorization<ContainerTarget>): SessionHandler;
  /** Resolves when the engine answers; throws `engine-unavailable`. */
  ping(): Promise<void>;
  /** Ends what is still running for sessions. */
  close(): Promise<void>;
}
