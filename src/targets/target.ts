/** The port: where a session can end. Implemented by `container/`, later by `remote-host/`. */
import type { Socket } from 'node:net';
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

export interface WebDialOptions {
  /** Whether the key may be forwarded to that port. */
  readonly mayOpen: (port: number) => boolean;
  /** Aborted when nobody wants the connection any more; the dial rejects with its reason. */
  readonly signal: AbortSignal;
}

export interface WebConnection {
  readonly socket: Socket;
  readonly port: number;
}

/** The engine behind container targets. */
export interface ContainerEngine {
  /** Every container, running or not. Throws `engine-unavailable`. */
  list(): Promise<readonly ContainerTarget[]>;
  start(id: string): Promise<void>;
  /** SIGTERM, then SIGKILL after the engine's own grace (10 s). */
  stop(id: string): Promise<void>;
  restart(id: string): Promise<void>;
  /** Name or uid of the user that its programs run as unless told otherwise. Throws `container-gone`, `engine-unavailable`. */
  defaultUser(container: ContainerTarget): Promise<string>;
  /** A handler for one session in the container that was authorized. */
  openSession(authorization: Authorization<ContainerTarget>): SessionHandler;
  /**
   * Connects to the web server of the container that was authorized. Throws `web-refused`, `web-no-address`,
   * `web-port-invalid`, `web-port-closed`, `web-unreachable`, `container-not-running`, `container-gone`.
   */
  dialWeb(authorization: Authorization<ContainerTarget>, options: WebDialOptions): Promise<WebConnection>;
  /** Resolves when the engine answers; throws `engine-unavailable`. */
  ping(): Promise<void>;
  /** Ends what is still running for sessions. */
  close(): Promise<void>;
}
