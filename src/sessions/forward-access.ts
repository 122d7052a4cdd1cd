/** May this connection forward into its target now? Asked anew for each forward. */
import type { Authorization } from '../auth/authorization.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { KeyRestrictions } from '../store/schema.ts';
import type { Target } from '../targets/target.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';
import { checkStands } from './check-stands.ts';
import { checkEngineIsNamed } from './forwarding.ts';
import { parseLoginName } from './login-name.ts';
import type { PeerConnection } from './peer.ts';

export interface ForwardAccessDependencies {
  readonly authorizer: Authorizer;
  readonly targets: TargetDirectory;
  readonly clock: Clock;
  readonly targetPrefix: string;
}

/** Where forwards go into, and as whom. */
export interface ForwardTarget {
  readonly target: string;
  readonly user: string | undefined;
  /** From the lobby: the target is what the forward names as its host. */
  readonly isDestination?: boolean;
}

/** The target that a connection's forwards go into: of its jump, or of its login name; undefined: the lobby. */
export function forwardsInto(
  { jumpTarget, loginName }: PeerConnection,
  targetPrefix: string,
): ForwardTarget | undefined {
  if (jumpTarget !== undefined) return { target: jumpTarget, user: loginName || undefined };
  const destination = parseLoginName(loginName, targetPrefix);
  return destination.kind === 'target' ? { target: destination.target, user: destination.user } : undefined;
}

export interface ForwardAccess {
  /**
   * Throws `forced-command-only`, `forward-refused`, what `check` throws for the restrictions of any key that has a say,
   * and what the directory and the authorizer throw.
   */
  authorize(
    connection: PeerConnection,
    identity: Identity,
    into: ForwardTarget,
    check: (restrictions: KeyRestrictions) => void,
  ): Promise<Authorization>;
  /** Throws unless it holds still: what is withdrawn while something is dialled ends nothing, for that is in no list yet. */
  recheck(authorization: Authorization): Promise<void>;
}

/** For so long a connection's target is not looked for again; whether it may be used, is asked each time. */
const targetFreshMs = 5_000;

export function createForwardAccess(dependencies: ForwardAccessDependencies): ForwardAccess {
  const { authorizer, targets, clock } = dependencies;
  const found = new WeakMap<
    PeerConnection,
    { readonly name: string; readonly target: Target; readonly atMs: number }
  >();

  async function find(connection: PeerConnection, principal: Principal, name: string): Promise<Target> {
    const recent = found.get(connection);
    if (recent?.name === name && Math.abs(clock.now() - recent.atMs) < targetFreshMs) return recent.target;
    const target = await targets.resolve(principal, name);
    found.set(connection, { name, target, atMs: clock.now() });
    return target;
  }

  return {
    async authorize(connection, identity, { target: name, user, isDestination = false }, check) {
      const principals = await principalsOf(authorizer, identity);
      for (const { key } of principals) {
        if (key.restrictions.command !== undefined) throw new GatewayError('forced-command-only', {});
        check(key.restrictions);
      }
      const target = await find(connection, principals[0], name);
      if (isDestination) for (const { key } of principals) checkEngineIsNamed(key.restrictions, name, target);
      const authorization = await authorizer.authorize(principals[0], target, user);
      if (!authorization.allows.forwarding) throw new GatewayError('forward-refused', { name: target.name });
      return authorization;
    },
    async recheck(was) {
      const { allows, target } = await checkStands(authorizer, was);
      if (!allows.forwarding) throw new GatewayError('forward-refused', { name: target.name });
    },
  };
}

/** Of the key that signed, and of those of the connections round it. */
async function principalsOf(
  authorizer: Authorizer,
  identity: Identity,
): Promise<[Principal, ...Principal[]]> {
  const own = await authorizer.principal(identity);
  return identity.outer ? [own, ...(await principalsOf(authorizer, identity.outer))] : [own];
}
