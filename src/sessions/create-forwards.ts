/** Joins the parts of forwarding: what a channel to somewhere leads to, and where somebody listens. */
import { createOpenForward, type ForwardDependencies } from './forward.ts';
import { createForwardAccess, type ForwardAccessDependencies } from './forward-access.ts';
import { createReachHost, type ReachHostDependencies } from './reach-host.ts';
import { createOpenRemoteForward } from './remote-forward.ts';
import { createResolveJump, type ResolveJumpDependencies } from './resolve-jump.ts';

export type ForwardsDependencies = Omit<ForwardDependencies, 'access'> &
  ForwardAccessDependencies &
  ReachHostDependencies &
  Omit<ResolveJumpDependencies, 'reachHost'>;

export function createForwards(dependencies: ForwardsDependencies) {
  const inside = { ...dependencies, access: createForwardAccess(dependencies) };
  return {
    resolveJump: createResolveJump({ ...dependencies, reachHost: createReachHost(dependencies) }),
    openForward: createOpenForward(inside),
    openRemoteForward: createOpenRemoteForward(inside),
  };
}
