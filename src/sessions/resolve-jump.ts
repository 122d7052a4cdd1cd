import type { Audit } from '../audit/audit.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';
import { permitsForwarding, withoutPrefix } from './forwarding.ts';

export interface ResolveJumpDependencies {
  readonly authorizer: Authorizer;
  readonly targets: TargetDirectory;
  readonly audit: Audit;
  readonly targetPrefix: string;
}

/**
 * The target that a direct-tcpip destination names: `rexec-TARGET` or `TARGET`, port 22. Everything else is
 * refused and audited before any look-up of a name: the gateway is no open proxy. Throws a GatewayError.
 */
export function createResolveJump({ authorizer, targets, audit, targetPrefix }: ResolveJumpDependencies) {
  return async (identity: Identity, host: string, port: number): Promise<{ target: string }> => {
    try {
      const principal = await authorizer.principal(identity);
      checkMayForward(principal);
      if (port !== 22) throw new GatewayError('port-refused', { port });
      const name = withoutPrefix(host, targetPrefix);
      if (!permitsForwarding(principal, name, port, targetPrefix)) {
        throw new GatewayError('destination-refused', {
          permitted: principal.key.restrictions.permitOpen?.join(', ') ?? '',
        });
      }
      const target = await targets.resolve(principal, name);
      await authorizer.authorize(principal, target, undefined);
      return { target: target.id };
    } catch (error) {
      if (isGatewayError(error))
        audit.refused(identity, { what: `direct-tcpip ${host.slice(0, 255)}:${port}`, reason: error.code });
      throw error;
    }
  };
}

/**
 * A jump is a forwarding. A key that is bound to one command, or may not forward, opens none: behind it
 * another key could ask for anything.
 */
function checkMayForward({ key: { restrictions } }: Principal): void {
  if (restrictions.command !== undefined) throw new GatewayError('forced-command-only', {});
  if (restrictions.noPortForwarding) throw new GatewayError('forwarding-refused', {});
}
