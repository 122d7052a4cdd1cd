import { GatewayError } from '../errors.ts';
import type { ContainerTarget, Target } from '../targets/target.ts';
import type { CommandContext } from './command.ts';

/**
 * The reachable target that `name` means, when it is the principal's to manage: an admin's, its owner's or registrant's.
 * Throws target-not-found, target-ambiguous, and not-allowed for those with a grant alone.
 */
export async function getManagedTarget(name: string, what: string, context: CommandContext): Promise<Target> {
  return checkManages(await context.targets.resolve(context.principal, name), what, context);
}

/** The same where only a container will do. Throws not-a-container, too. */
export async function getManagedContainer(
  name: string,
  what: string,
  context: CommandContext,
): Promise<ContainerTarget> {
  return checkManages(await context.targets.resolveContainer(context.principal, name), what, context);
}

async function checkManages<T extends Target>(
  target: T,
  what: string,
  { authorizer, principal }: CommandContext,
): Promise<T> {
  // As they are now: the engine may have been slow to list its containers.
  if (authorizer.mayManage(await authorizer.principal(principal.identity), target)) return target;
  throw new GatewayError('not-allowed', {
    what: `"${what}" on ${target.name}`,
    who: target.kind === 'host' ? 'admins and whoever registered it' : 'admins and its owners',
  });
}
