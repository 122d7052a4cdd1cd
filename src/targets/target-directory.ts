/** Finds targets for a principal: what they reach, and which one a name means. */
import type { Authorization } from '../auth/authorization.ts';
import type { Principal } from '../auth/authorizer.ts';
import type { Target } from './target.ts';

export interface TargetDirectory {
  /** Reachable ones, in order of name. Throws engine-unavailable. */
  list(principal: Principal): Promise<readonly Target[]>;
  /** The one that `name` means, by the order of spec routing. Throws target-not-found, target-ambiguous. */
  resolve(principal: Principal, name: string): Promise<Target>;
  /** resolve and authorize in one. */
  authorize(principal: Principal, name: string, user: string | undefined): Promise<Authorization>;
  start(target: Target): Promise<void>;
  stop(target: Target): Promise<void>;
  restart(target: Target): Promise<void>;
  /** Who a session is inside the target when nobody else is asked for. Throws container-gone, engine-unavailable. */
  defaultUser(target: Target): Promise<string>;
  /** What a target is called in ssh: `rexec-web`. */
  sshName(target: Target): string;
}
