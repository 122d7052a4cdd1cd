/** What the door gives to each of its connections, and where these come from. */
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Audit } from '../audit/audit.ts';
import type { Identity } from '../auth/identity.ts';
import type { LoginAuthenticator } from '../auth/second-step.ts';
import type { Config } from '../config/config.ts';
import type { EndForFault } from '../platform/fault-owner.ts';
import type { KnowsEnds } from '../proxies/connection-ends.ts';
import type { LiveConnection } from '../sessions/connections.ts';
import type { OpenForward } from '../sessions/forward.ts';
import type { PeerConnection, RunSession } from '../sessions/peer.ts';
import type { OpenRemoteForward } from '../sessions/remote-forward.ts';
import type { ResolveJump } from './direct-tcpip.ts';
import type { HostKeyRing } from './host-key-ring.ts';

/** A socket, or the channel of a jump. */
export type Transport = Duplex & KnowsEnds;

/** What an inner connection inherits from the one whose channel it runs in. */
export interface OuterConnection {
  readonly identity: Identity;
  readonly target: string;
}

export interface DoorContext {
  readonly config: Config;
  readonly hostKeys: () => HostKeyRing;
  readonly authenticator: LoginAuthenticator;
  readonly runSession: RunSession;
  /** A session will most likely be run in a moment. */
  readonly expectSession: (connection: PeerConnection) => void;
  readonly resolveJump: ResolveJump;
  readonly openForward: OpenForward;
  readonly openRemoteForward: OpenRemoteForward;
  /** Registers an authenticated connection of an account; returns what removes it. */
  readonly addConnection: (connection: LiveConnection) => () => void;
  readonly audit: Audit;
  readonly log: Logger;
  /** Ends the connection for a fault of ours. */
  readonly onFault: EndForFault;
  readonly serveInner: (transport: Transport, outer: OuterConnection) => void;
}
