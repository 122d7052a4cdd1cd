/** The port behind registered hosts: sessions and forwards over an SSH connection of the gateway's own. */
import type { Duplex } from 'node:stream';
import type { Authorization } from '../auth/authorization.ts';
import type { Address, SessionHandler } from '../sessions/session.ts';
import type { HostTarget, InboundConnection, PortDestination, RemoteListener } from './target.ts';

/** The person's connection that something is done for: what is opened for one of them is shared with no other. */
export interface OnBehalfOf {
  readonly connectionId: string;
  readonly source: Address;
}

export interface HostEngine {
  /**
   * A handler for one session in the host that was authorized, through the gateway. Beside what the connection throws:
   * `host-no-identity`, `pty-refused`, `sftp-refused`, `unknown-subsystem`.
   */
  openSession(authorization: Authorization<HostTarget>): SessionHandler;
  /** Connects from the host that was authorized. Each side of the stream ends by itself. Throws as a session does. */
  dial(
    authorization: Authorization<HostTarget>,
    destination: PortDestination,
    by: OnBehalfOf,
  ): Promise<Duplex>;
  /** Listens in the host, until the person's connection is gone at the latest. */
  listen(
    authorization: Authorization<HostTarget>,
    place: PortDestination,
    onConnection: (connection: InboundConnection) => void,
    by: OnBehalfOf,
  ): Promise<RemoteListener>;
  /**
   * A stream to `port` of the host, by way of the hosts that it is reached through. Throws `host-unreachable`,
   * `host-address-refused`, and what logging in to those throws.
   */
  reach(target: HostTarget, port: number): Promise<Duplex>;
  /**
   * The gateway's own connection to a unix socket there, by the host's identity file or the egress key. Throws as `dial`
   * does, and `host-no-identity`.
   */
  dialSocket(target: HostTarget, path: string): Promise<Duplex>;
  /** `TYPE BASE64` of the keys that the host shows now, best first. Throws as `reach` does. */
  scanHostKeys(target: HostTarget): Promise<readonly string[]>;
  close(): void;
}
