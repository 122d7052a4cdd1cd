/** The directory over the container engine: what a person reaches, and which target a name means. */
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Config } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { findTargets } from './find-target.ts';
import { nothingReachable } from './nothing-reachable.ts';
import type { ContainerEngine, Target } from './target.ts';
import type { TargetDirectory } from './target-directory.ts';

export interface TargetDirectoryDependencies {
  readonly engine: ContainerEngine;
  readonly authorizer: Authorizer;
  readonly config: Pick<Config, 'targetPrefix'>;
}

export function createTargetDirectory({
  engine,
  authorizer,
  config: { targetPrefix },
}: TargetDirectoryDependencies): TargetDirectory {
  async function list(principal: Principal): Promise<readonly Target[]> {
    const reachable = await authorizer.reachable(principal, await engine.list());
    return reachable.toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  }

  const resolve = async (principal: Principal, name: string) =>
    resolveAmong(await list(principal), principal, name);

  function resolveAmong(targets: readonly Target[], principal: Principal, name: string): Target {
    const [found, ...others] = findPrefixed(targets, name, targetPrefix);
    if (found === undefined) {
      throw new GatewayError('target-not-found', {
        target: excerpt(name),
        reachable: reachableSentence(targets, principal),
      });
    }
    if (others.length > 0) {
      const ids = [found, ...others].map(({ id }) => id.slice(0, 12)).join(', ');
      throw new GatewayError('target-ambiguous', { target: excerpt(name), ids: excerpt(ids, 200) });
    }
    return found;
  }

  return {
    list,
    resolve,
    async authorize(principal, name, user) {
      const targets = await list(principal);
      const target = resolveAmong(targets, principal, name);
      checkTokenMeans(principal, targets, target, targetPrefix);
      return authorizer.authorize(principal, target, user);
    },
    start: (target) => engine.start(target.id),
    stop: (target) => engine.stop(target.id),
    restart: (target) => engine.restart(target.id),
    defaultUser: (target) => engine.defaultUser(target),
    sshName: (target) => targetPrefix + target.name,
  };
}

/** People also type the name with its ssh prefix; a target really called so comes first. */
function findPrefixed(targets: readonly Target[], name: string, prefix: string): readonly Target[] {
  const found = findTargets(targets, name);
  if (found.length > 0 || !name.toLowerCase().startsWith(prefix)) return found;
  return findTargets(targets, name.slice(prefix.length));
}

/** `ssh rexec-web` in a token is for the target really called so, where there is one, and not for `web` besides. */
function checkTokenMeans(
  { identity: { token } }: Principal,
  targets: readonly Target[],
  { name }: Target,
  prefix: string,
): void {
  if (!token || token.container !== undefined) return;
  if (token.cmds.includes('ssh') || token.cmds.includes(`ssh ${name}`)) return;
  if (targets.some((other) => other.name === prefix + name)) throw new GatewayError('token-not-allowed', {});
}

const namedAtMost = 10;

/** Ends the sentence "no target for you": the same whether the target exists or not. */
function reachableSentence(targets: readonly Target[], principal: Principal): string {
  const { token } = principal.identity;
  if (token && !token.cmds.includes('ls')) return '"ls" shows what its account can reach.';
  if (targets.length === 0) return nothingReachable(principal);
  const names = targets.slice(0, namedAtMost).map(({ name }) => name);
  const more = targets.length - names.length;
  return `You can reach: ${names.join(', ')}${more > 0 ? ` and ${more} more ("ls" lists them)` : ''}.`;
}

/** By code unit: the same order on every machine. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
