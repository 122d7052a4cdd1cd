/** Finds targets for a principal: what they reach, and which one a name means. */
import type { Authorization } from '../auth/authorization.ts';
import type { Principal } from '../auth/authorizer.ts';
import type { SilentEngine } from './joined-engine.ts';
import type { ContainerTarget, Target } from './target.ts';

/** The reachable containers of the engines that answer, in order of name, and the engines that do not. */
export interface Overview {
  readonly containers: readonly ContainerTarget[];
  readonly silent: readonly SilentEngine[];
}

export interface TargetDirectory {
  look(principal: Principal): Promise<Overview>;
  /** Reachable containers, in order of name. Throws engine-unavailable where there are none because of that. */
  list(principal: Principal): Promise<readonly ContainerTarget[]>;
  /**
   * The one that `name` means: a container's name, a host's, then a container's label or id. Throws target-not-found,
   * target-ambiguous, host-via-refused; engine-unavailable where it is of an engine that does not answer, or might be.
   */
  resolve(principal: Principal, name: string): Promise<Target>;
  /** The same where only a container will do. Throws not-a-container, too. */
  resolveContainer(principal: Principal, name: string): Promise<ContainerTarget>;
  /** resolve and authorize in one. */
  authorize(principal: Principal, name: string, user: string | undefined): Promise<Authorization>;
  authorizeContainer(
    principal: Principal,
    name: string,
    user: string | undefined,
  ): Promise<Authorization<ContainerTarget>>;
  start(target: ContainerTarget): Promise<void>;
  stop(target: ContainerTarget): Promise<void>;
  restart(target: ContainerTarget): Promise<void>;
  /** Who a session is inside the target when nobody else is asked for. Throws container-gone, engine-unavailable. */
  defaultUser(target: ContainerTarget): Promise<string>;
  /** What a target is called in ssh: `rexec-web`. */
  sshName(target: Target): string;
}
