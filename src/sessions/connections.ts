/** Who is connected to this process, and what runs in it: for revocation, draining, and the directory of sessions. */

import type { Authorization } from '../auth/authorization.ts';
import type { Identity } from '../auth/identity.ts';

export interface LiveConnection {
  readonly id: string;
  readonly identity: Identity;
  readonly openedAt: string;
  /** Disconnects as soon as its sessions have ended, or after a second. */
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
  /** For what stands on more than its Authorization, or on none: throws a GatewayError when it may be no more. */
  readonly recheck?: () => Promise<void>;
  /** Bytes so far: what the peer sent, what it was sent. */
  traffic(): { bytesIn: number; bytesOut: number };
  /** Shows a sentence on its terminal; unset: it has none, and what it puts out is nobody's to add to. */
  readonly notify?: (sentence: string) => void;
  /** Ends it with a sentence on stderr and status 255. */
  end(reason: string): void;
}

/** A command of the lobby that takes its time, by whichever door it came. */
export interface LiveCommand {
  /** Throws a GatewayError when it may go on no more. */
  recheck(): Promise<void>;
  end(): void;
}

/** In the list from now on. */
export interface ListedSession {
  /**
   * Resolves when it has been looked at once more, and ended if it may not be: what was withdrawn while it was being allowed
   * ended nothing, for it was in no list yet. Rejects where that could not be seen. Nothing may begin before.
   */
  readonly looked: Promise<unknown>;
  remove(): void;
}

export interface Connections {
  listConnections(): readonly LiveConnection[];
  listSessions(): readonly LiveSession[];
  listCommands(): readonly LiveCommand[];
  addConnection(connection: LiveConnection): () => void;
  addSession(session: LiveSession): ListedSession;
  addCommand(command: LiveCommand): () => void;
  /** Looks at each session when it is in the list, until the returned function is called. */
  onSession(look: (session: LiveSession) => Promise<void>): () => void;
  /** Tells the connection's sessions why, ends them, and disconnects. */
  closeConnection(connection: LiveConnection, reason: string): void;
}
