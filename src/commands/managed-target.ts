import { GatewayError } from '../errors.ts';
import type { Target } from '../targets/target.ts';
import type { CommandContext } from './command.ts';

/**
 * The reachable target that `name` means, when it is the principal's to manage: an admin's or its owner's.
 * Throws target-not-found, target-ambiguous, and not-allowed for those with a grant alone.
 */
export async function getManagedTarget(name: string, what: string, context: CommandContext): Promise<Target> {
  const { targets, authorizer, principal } = context;
  const target = await targets.resolve(principal, name);
  // As they are now: the engine may have been slow to list its containers.
  if (authorizer.mayManage(await authorizer.principal(principal.identity), target)) return target;
  throw new GatewayError('not-allowed', {
    what: `"${what}" on ${target.name}`,
    who: 'admins and its owners',
  });
}
