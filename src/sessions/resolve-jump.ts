import type { Audit } from '../audit/audit.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { permitsOpen } from '../keys/permit-patterns.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';

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
      const nameIn = (text: string) =>
        text.toLowerCase().startsWith(targetPrefix) ? text.slice(targetPrefix.length) : text;
      const name = nameIn(host);
      checkPermitOpen(principal, (permitted) => nameIn(permitted) === name, port);
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

/** sshd(8) permitopen=: `web` and `rexec-web` are one name, as they are to whoever jumps. */
function checkPermitOpen(
  { key: { restrictions } }: Principal,
  isHost: (permitted: string) => boolean,
  port: number,
): void {
  const { permitOpen } = restrictions;
  if (permitOpen !== undefined && !permitsOpen(permitOpen, isHost, port)) {
    throw new GatewayError('destination-refused', { permitted: permitOpen.join(', ') });
  }
}

/**
 * A jump is a forwarding. A key that is bound to one command, or may not forward, opens none: behind it
 * another key could ask for anything.
 */
function checkMayForward({ key: { restrictions } }: Principal): void {
  if (restrictions.command !== undefined) throw new GatewayError('forced-command-only', {});
  if (restrictions.noPortForwarding) throw new GatewayError('forwarding-refused', {});
}
