/**
 * Leave to open one target as one user. Made only by the authorizer, so whoever holds one holds the
 * very target that was checked: nobody dials anything else.
 */
import type { RecordingMode } from '../recordings/recording-modes.ts';
import type { ContainerTarget, HostTarget, Target } from '../targets/target.ts';
import type { Identity } from './identity.ts';

declare const authorized: unique symbol;

export interface Authorization<T extends Target = Target> {
  readonly [authorized]: true;
  readonly target: T;
  /** User inside the target; undefined: its default user. Of a host, it is always said. */
  readonly user: string | undefined;
  readonly identity: Identity;
  readonly allows: SessionAllowances;
  /** What is done there is recorded; `required`: or else not done. */
  readonly recording?: RecordingMode;
}

/** What grant and key leave of a session. */
export interface SessionAllowances {
  readonly pty: boolean;
  readonly forwarding: boolean;
  readonly agentForwarding: boolean;
  readonly sftp: boolean;
  /** Of a host: ciphertext straight through to its SSH port, where no limit of a grant could be kept. */
  readonly endToEnd?: boolean;
}

export const isForHost = (authorization: Authorization): authorization is Authorization<HostTarget> =>
  authorization.target.kind === 'host';

export const isForContainer = (
  authorization: Authorization,
): authorization is Authorization<ContainerTarget> => authorization.target.kind === 'container';

/** Whether what began as it `was` authorized has no recording, and there must be one now. */
export const lacksRecording = (was: Authorization, now: Authorization): boolean =>
  now.recording === 'required' && was.recording === undefined;

/** For the authorizer alone. */
export function grantAuthorization<T extends Target>(
  facts: Omit<Authorization<T>, typeof authorized>,
): Authorization<T> {
  return Object.freeze({ ...facts }) as Authorization<T>;
}
