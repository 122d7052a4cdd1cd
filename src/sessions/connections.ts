/** Who is connected, and what runs: for `session list`, `session kill`, and revocation. */
import type { Identity } from '../auth/identity.ts';
import type { Authorization } from '../auth/authorization.ts';

export interface LiveConnection {
  readonly id: string;
  readonly identity: Identity;
  readonly openedAt: string;
  /** Ends it; `reason` is told to the person's running sessions. */
  close(reason: string): void;
}

export interface LiveSession {
  readonly id: string;
  readonly connectionId: string;
  readonly identity: Identity;
  /** `lobby` or the target's name. */
  readonly target: string;
  /** Masked command line, `shell`, or the subsystem's name. */
  readonly what: string;
  readonly openedAt: string;
  readonly authorization?: Authorization;
  bytesIn: number;
  bytesOut: number;
  end(reason: string): void;
}

export interface Connections {
  listConnections(): readonly LiveConnection[];
  listSessions(): readonly LiveSession[];
  addConnection(connection: LiveConnection): () => void;
  addSession(session: LiveSession): () => void;
}
