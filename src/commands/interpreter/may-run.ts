import type { Principal } from '../../auth/authorizer.ts';
import { GatewayError } from '../../errors.ts';
import type { Command, Permission } from '../command.ts';
import { nameOf } from './load-commands.ts';

/** Throws not-allowed or restricted-key when the principal may not run the command at all. */
export function checkMayRun(command: Command, { account, restricted }: Principal): void {
  if (command.permission === 'admin' && account.role !== 'admin') {
    throw new GatewayError('not-allowed', { what: `"${nameOf(command)}"`, who: 'admins' });
  }
  if (command.permission !== 'anyone' && restricted) {
    throw new GatewayError('restricted-key', { what: `run "${nameOf(command)}"` });
  }
}

/** For help and completion: what somebody of this role will ever get to run. */
export function isFor(permission: Permission, { account }: Principal): boolean {
  return permission !== 'admin' || account.role === 'admin';
}
