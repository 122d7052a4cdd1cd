/** May this token go to that container's web server now, and what does the server learn of whoever shows it? */
import type { Authorization } from '../auth/authorization.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { dottedName, fullName } from '../targets/engine-names.ts';
import type { ContainerEngine, ContainerTarget, WebConnection } from '../targets/target.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';
import { permitsForwarding } from './forwarding.ts';

export interface ReachWebDependencies {
  readonly authorizer: Authorizer;
  readonly targets: TargetDirectory;
  readonly engine: ContainerEngine;
  readonly targetPrefix: string;
}

export interface ReachableWeb {
  readonly principal: Principal;
  readonly authorization: Authorization<ContainerTarget>;
  /** Throws as the engine's dialWeb does. `signal`: nobody wants it any more. */
  dial(signal: AbortSignal): Promise<WebConnection>;
}

export type ReachWeb = (identity: Identity, container: string) => Promise<ReachableWeb>;

/** `container` in lower case. Throws token-elsewhere, container-refused, and what the key's options forbid. */
export function createReachWeb(dependencies: ReachWebDependencies): ReachWeb {
  const { authorizer, targets, engine, targetPrefix } = dependencies;
  return async (identity, container) => {
    // As its signer wrote it: where two names differ in case alone, the token says which.
    const scope = identity.token?.container;
    if (scope?.toLowerCase() !== container) throw new GatewayError('token-elsewhere', { name: container });
    const principal = await authorizer.principal(identity);
    if (principal.key.restrictions.command !== undefined) throw new GatewayError('forced-command-only', {});
    const hide = (error: unknown): never => {
      throw isGatewayError(error) && hidden.has(error.code)
        ? new GatewayError('container-refused', { name: container }, { cause: error })
        : error;
    };
    const authorization = await targets.authorizeContainer(principal, scope, undefined).catch(hide);
    const { target } = authorization;
    const names = target.engine === undefined ? [target.name] : [fullName(target), dottedName(target)];
    const mayOpen = (port: number) =>
      names.some((name) => permitsForwarding(principal, name, port, targetPrefix));
    return {
      principal,
      authorization,
      dial: (signal) => engine.dialWeb(authorization, { mayOpen, signal }),
    };
  };
}

/** Their sentences name other targets, or tell what is there from what is not. */
const hidden: ReadonlySet<string> = new Set([
  'target-not-found',
  'not-a-container',
  'target-ambiguous',
  'target-user-refused',
  'token-not-allowed',
]);
