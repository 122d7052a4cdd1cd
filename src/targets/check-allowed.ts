import type { Authorization } from '../auth/authorization.ts';
import { GatewayError } from '../errors.ts';
import type { SessionRequest } from '../sessions/session.ts';

/** Throws pty-refused, sftp-refused, unknown-subsystem, before anything is asked of the target. */
export function checkAllowed({ allows }: Pick<Authorization, 'allows'>, request: SessionRequest): void {
  const { start, pty } = request;
  if (pty && !allows.pty) throw new GatewayError('pty-refused', {});
  if (start.kind !== 'subsystem') return;
  if (start.name !== 'sftp') throw new GatewayError('unknown-subsystem', { subsystem: start.name });
  if (!allows.sftp) throw new GatewayError('sftp-refused', {});
}
