/**
 * What a session is, whatever door it came through. The one idea that carries the design: a handler
 * returns how the session ended, so the lobby, a container and a recorder round either have one type.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Identity } from '../auth/identity.ts';
import type { GatewayError } from '../errors.ts';

/** Terminal size; RFC 4254 §6.2. Columns and rows win over pixels; 0 means unknown. */
export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** RFC 4254 §6.2. `modes` maps the opcode of RFC 4254 §8 to its value. */
export interface Pty {
  readonly term: string;
  readonly size: WindowSize;
  readonly modes: ReadonlyMap<number, number>;
}

/** RFC 4254 §6.5: exactly one of these starts a session. A command may hold bytes that are no UTF-8: platform/text-of-bytes.ts. */
export type SessionStart =
  | { readonly kind: 'shell' }
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'subsystem'; readonly name: string };

export interface SessionRequest {
  readonly start: SessionStart;
  readonly pty?: Pty;
  /** What the client sent with `env` requests, unfiltered by policy but free of NUL; RFC 4254 §6.4. */
  readonly env: ReadonlyMap<string, string>;
  /** What was asked for, where a forced command runs instead: sshd(8)'s SSH_ORIGINAL_COMMAND. */
  readonly originalCommand?: string;
  /** SSH_AUTH_SOCK: where the peer's agent is to be had in the target, while the session runs. */
  readonly agentSocket?: string;
}

/** Signal names without SIG, RFC 4254 §6.10. `BREAK` stands for RFC 4335's break request. */
export type SignalName = string;

/** The peer's side of a session: an SSH channel, or a pair of HTTP bodies. */
export interface SessionIo {
  /** Ends at the peer's EOF. Reading slowly slows the peer (window). */
  readonly stdin: Readable;
  /** Writes wait for the peer's window and socket. A handler need not end them: the door does. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  onWindowChange(listener: (size: WindowSize) => void): void;
  onSignal(listener: (name: SignalName) => void): void;
  /** Aborted when the peer is gone (channel closed, connection lost) or the session was ended by the gateway. */
  readonly closed: AbortSignal;
  /** The program reads no more of stdin: a peer that understands it need not send any (OpenSSH's PROTOCOL 2.1). */
  readonly stopInput?: () => void;
  /** How the peer is told what the gateway itself has to say; unset: as a line on stderr. */
  readonly tell?: (notice: GatewayNotice) => void;
  /** Opens a channel to the peer's agent; undefined where it has none, or too much is open. Unset: it did not ask for `ssh -A`. */
  readonly openAgent?: () => Promise<PeerStream | undefined>;
  /** The same to log in elsewhere with, and never for programs there: it was lent to the lobby. */
  readonly loginAgent?: () => Promise<PeerStream | undefined>;
  /** Bytes so far, where they are counted here. */
  readonly traffic?: () => { readonly bytesIn: number; readonly bytesOut: number };
}

/** The peer's side of something that is forwarded. */
export interface PeerStream {
  readonly stream: Duplex;
  /** Aborted when the peer has closed it, or is gone. */
  readonly closed: AbortSignal;
  /** Bytes so far: what the peer sent, what it was sent. */
  readonly traffic: () => { bytesIn: number; bytesOut: number };
  close(): void;
}

export interface GatewayNotice {
  readonly sentence: string;
  /** Why there was no session, or no more of it; unset: the gateway ended it on purpose. */
  readonly failure?: GatewayError;
}

/** RFC 4254 §6.10. */
export type SessionEnd =
  | { readonly exitStatus: number }
  | { readonly exitSignal: SignalName; readonly message: string; readonly coreDumped?: boolean };

/** Facts about where a session comes from, fixed when it starts. */
export interface SessionContext {
  readonly connectionId: string;
  readonly sessionId: string;
  readonly identity: Identity;
  /** The login name as sent, invite codes masked. */
  readonly loginName: string;
  readonly source: Address;
  readonly local: Address;
}

export interface Address {
  readonly address: string;
  readonly port: number;
}

/**
 * Runs one session to its end. Resolves only when everything the program wrote was handed to
 * `io.stdout` and `io.stderr`. A GatewayError thrown is written to stderr as one sentence and
 * becomes its exit status; anything else is logged as our bug.
 */
export type SessionHandler = (
  request: SessionRequest,
  io: SessionIo,
  context: SessionContext,
) => Promise<SessionEnd>;
