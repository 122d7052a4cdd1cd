/** What the entrance hands to the door: facts and a socket, so that they may be in different processes. */
import type { Socket } from 'node:net';
import type { Offence } from '../auth/penalties.ts';
import type { ConnectionEnds } from '../proxies/connection-ends.ts';

/** A connection that has not proven who it is; it counts as one until either is called. */
export interface Startup {
  /** It has proven it. */
  authenticated(): void;
  /** It is gone. `offence`: of who never has proven it. */
  left(offence?: Offence): void;
}

export interface SshArrival {
  /** Paused; nothing of it was read but `head`. */
  readonly socket: Socket;
  readonly ends: ConnectionEnds;
  /** What came behind a PROXY header; mostly nothing. */
  readonly head: Buffer;
  readonly startup: Startup;
}
