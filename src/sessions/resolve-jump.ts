import type { Audit } from '../audit/audit.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { handleOf } from '../targets/engine-names.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';
import { checkEngineIsNamed, permitsForwarding, withoutPrefix } from './forwarding.ts';
import type { HostForward, ReachHost } from './reach-host.ts';

export interface ResolveJumpDependencies {
  readonly authorizer: Authorizer;
  readonly targets: TargetDirectory;
  readonly audit: Audit;
  readonly reachHost: ReachHost;
  readonly targetPrefix: string;
}

/**
 * What a direct-tcpip channel leads to: a container, which our own SSH server answers for, a host, or perhaps another
 * port of a container, which whoever opens that forward must find out.
 */
export type JumpDestination = { readonly target: string } | HostForward | { readonly isPort: true };

/**
 * What a direct-tcpip destination names: `rexec-TARGET` or `TARGET` at any port, or a registered host at one of its
 * ports. Everything else is refused and audited before any look-up of a name: the gateway is no open proxy. A
 * container's name comes before a host's. Throws a GatewayError.
 */
export function createResolveJump(dependencies: ResolveJumpDependencies) {
  const { authorizer, targets, audit, reachHost, targetPrefix } = dependencies;
  return async (identity: Identity, host: string, port: number): Promise<JumpDestination> => {
    try {
      const principal = await authorizer.principal(identity);
      checkMayForward(principal);
      const name = withoutPrefix(host, targetPrefix);
      checkPermitted(principal, name, port, targetPrefix);
      if (!(await isContainer(dependencies, principal, name))) {
        const forward = await reachHost(principal, host, port);
        if (forward) return forward;
      }
      if (port !== 22) return { isPort: true };
      const target = await targets.resolve(principal, name);
      checkEngineIsNamed(principal.key.restrictions, name, target);
      await authorizer.authorize(principal, target, undefined);
      return { target: target.kind === 'container' ? handleOf(target) : target.id };
    } catch (error) {
      if (isGatewayError(error))
        audit.refused(identity, { what: `direct-tcpip ${host.slice(0, 255)}:${port}`, reason: error.code });
      throw error;
    }
  };
}

/** By its own name. With the engine away there are none, and hosts are reached all the same. */
async function isContainer({ targets }: ResolveJumpDependencies, principal: Principal, name: string) {
  const found = await targets.list(principal).catch((error: unknown) => {
    if (isGatewayError(error, 'engine-unavailable')) return [];
    throw error;
  });
  return found.some((target) => target.name.toLowerCase() === name.toLowerCase());
}

function checkPermitted(principal: Principal, name: string, port: number, targetPrefix: string): void {
  if (permitsForwarding(principal, name, port, targetPrefix)) return;
  const permitted = principal.key.restrictions.permitOpen?.join(', ') ?? '';
  throw new GatewayError('destination-refused', { permitted });
}

/**
 * A jump is a forwarding. A key that is bound to one command, or may not forward, opens none: behind it
 * another key could ask for anything.
 */
function checkMayForward({ key: { restrictions } }: Principal): void {
  if (restrictions.command !== undefined) throw new GatewayError('forced-command-only', {});
  if (restrictions.noPortForwarding) throw new GatewayError('forwarding-refused', {});
}
