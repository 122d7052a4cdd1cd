import type { Principal } from '../../auth/authorizer.ts';
import { checkTokenAllows, checkTokenIsLasting } from '../../auth/token-permissions.ts';
import { GatewayError, isGatewayError } from '../../errors.ts';
import { checkProvenNow, checkRequiredFactor } from '../../second-factor/standing.ts';
import type { Command, Permission } from '../command.ts';
import { nameOf } from './load-commands.ts';

/** Throws not-allowed, restricted-key, token-… or second-factor-… when the principal may not run the command at all. */
export function checkMayRun(command: Command, principal: Principal): void {
  const { account, restricted } = principal;
  if (command.permission === 'admin' && account.role !== 'admin') {
    throw new GatewayError('not-allowed', { what: `"${nameOf(command)}"`, who: 'admins' });
  }
  if (command.permission !== 'anyone' && restricted) {
    throw new GatewayError('restricted-key', { what: `run "${nameOf(command)}"` });
  }
  checkToken(command, principal);
  checkSecondFactor(command, principal);
}

/**
 * The same for whoever was found to be allowed earlier, and has been waited for since: what is decided by who they were then
 * must hold of who they are `now`.
 */
export function checkMayStillRun(command: Command, before: Principal, now: Principal): void {
  checkMayRun(command, now);
  if (before.account.role === 'admin' && now.account.role !== 'admin') {
    throw new GatewayError('not-allowed', { what: `"${nameOf(command)}", as it was begun,`, who: 'admins' });
  }
}

function checkToken(command: Command, principal: Principal): void {
  checkTokenAllowsHelp(command, principal);
  if (command.outlasts === true) checkTokenIsLasting(principal.identity.token, `"${nameOf(command)}"`);
}

/** A command that a token may not run, it may not ask about either. Throws token-not-allowed. */
export function checkTokenAllowsHelp(command: Command, { identity: { token } }: Principal): void {
  checkTokenAllows(token, nameOf(command), { opensTargets: command.verbatimAfter !== undefined });
}

function checkSecondFactor(command: Command, { secondFactor }: Principal): void {
  if (command.secondFactor === 'spared') return;
  checkRequiredFactor(secondFactor);
  if (command.secondFactor === 'proven') checkProvenNow(secondFactor, `"${nameOf(command)}"`);
}

/** For help and completion: what somebody of this role will ever get to run. */
export function isFor(permission: Permission, { account }: Principal): boolean {
  return permission !== 'admin' || account.role === 'admin';
}

/** Whether only the second factor stands between the principal and the command. */
export function lacksSecondFactor(command: Command, principal: Principal): boolean {
  try {
    checkSecondFactor(command, principal);
    return false;
  } catch (error) {
    if (isGatewayError(error)) return true;
    throw error;
  }
}
