/** Who is at the other end of an authenticated connection, and what the door asks of the middle. */
import type { Applicant } from '../auth/authenticator.ts';
import type { Identity } from '../auth/identity.ts';
import type { Address, SessionEnd, SessionIo, SessionRequest } from './session.ts';

export type Peer =
  | { readonly kind: 'account'; readonly identity: Identity }
  | { readonly kind: 'applicant'; readonly applicant: Applicant };

export interface PeerConnection {
  readonly id: string;
  readonly peer: Peer;
  /** As sent. */
  readonly loginName: string;
  readonly source: Address;
  readonly local: Address;
  /** The target that the outer connection's jump named, for an inner connection. */
  readonly jumpTarget?: string;
}

/** What a door hands sessions to. Never throws: every failure has become a sentence and a status. */
export type RunSession = (
  connection: PeerConnection,
  request: SessionRequest,
  io: SessionIo,
  /** Bytes through the session, for `session list` and the audit. */
  traffic: () => { bytesIn: number; bytesOut: number },
) => Promise<SessionEnd>;
