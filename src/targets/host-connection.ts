/** The port: the gateway's own SSH connection to a registered host. Implemented by `ssh/client/`, used by `remote-host/`. */
import type { Duplex } from 'node:stream';
import type { Address, PeerStream, SessionEnd, SessionIo, SessionRequest } from '../sessions/session.ts';
import type { InboundConnection, PortDestination, RemoteListener } from './target.ts';

/** A way to log in; `name` is what people are told was tried. */
export type HostLogin =
  | { readonly kind: 'key'; readonly name: string; readonly readPrivateKey: () => Promise<Buffer> }
  /** A connection to the person's SSH agent, for as long as the login takes. */
  | { readonly kind: 'agent'; readonly name: string; readonly open: OpenAgent };

export interface HostToConnect {
  /** What sentences call it. */
  readonly name: string;
  readonly username: string;
  /** `TYPE BASE64` of the pinned ones: the host proves itself with one of these, or nothing is sent to it. */
  readonly hostKeys: readonly string[];
  /** In the order in which they are tried. */
  readonly logins: readonly HostLogin[];
}

/** Connects to the person's own agent. Rejects where there is none to be had. */
export type OpenAgent = () => Promise<PeerStream>;

/** Logged in. What runs in it ends with it. */
export interface HostConnection {
  /**
   * Runs one session there, RFC 4254 §6, to its end. Throws `host-session-refused` before anything has begun,
   * `host-start-refused`, and `host-lost` when the connection fails on the way.
   */
  runSession(request: SessionRequest, io: SessionIo, agent: OpenAgent | undefined): Promise<SessionEnd>;
  /** Connects from there, RFC 4254 §7.2. Throws `forward-failed`. */
  dial(destination: PortDestination, origin: Address): Promise<Duplex>;
  /** Connects to a unix socket there, OpenSSH's PROTOCOL 2.4. Throws `forward-failed`. */
  dialSocket(path: string): Promise<Duplex>;
  /** Listens there, RFC 4254 §7.1. Each connection must be consumed or destroyed. Throws `forward-failed`. */
  listen(
    place: PortDestination,
    onConnection: (connection: InboundConnection) => void,
  ): Promise<RemoteListener>;
  /** Aborted when it is gone, whoever ended it. */
  readonly gone: AbortSignal;
  close(): void;
}

/**
 * Logs in over `stream`, which is destroyed when that fails. Throws `host-unreachable`, `host-unpinned`, `host-key-changed`,
 * `host-login-refused`, `host-identity-unusable`; the signal's reason when that aborts.
 */
export type OpenHostConnection = (
  stream: Duplex,
  host: HostToConnect,
  signal: AbortSignal,
) => Promise<HostConnection>;
