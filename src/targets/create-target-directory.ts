/** The directory over the container engine and the registered hosts: what a person reaches, and which target a name means. */
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Config } from '../config/config.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { findHost, type Hosts } from '../hosts/hosts.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { HostRow } from '../store/schema.ts';
import { findTargets } from './find-target.ts';
import { nothingReachable } from './nothing-reachable.ts';
import type { ContainerEngine, ContainerTarget, Target } from './target.ts';
import type { TargetDirectory } from './target-directory.ts';

export interface TargetDirectoryDependencies {
  readonly engine: ContainerEngine;
  readonly hosts: Pick<Hosts, 'list' | 'asTarget'>;
  readonly authorizer: Authorizer;
  readonly config: Pick<Config, 'targetPrefix'>;
}

/** What somebody reaches. */
interface Reachable {
  readonly containers: readonly ContainerTarget[];
  readonly hosts: readonly HostRow[];
  /** Why there are no containers. */
  readonly fault: GatewayError | undefined;
}

export function createTargetDirectory({
  engine,
  hosts,
  authorizer,
  config: { targetPrefix },
}: TargetDirectoryDependencies): TargetDirectory {
  async function list(principal: Principal): Promise<readonly ContainerTarget[]> {
    const reachable = await authorizer.reachable(principal, await engine.list());
    return reachable.toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  }

  /** With the engine away, hosts are reached all the same. */
  async function listAll(principal: Principal): Promise<Reachable> {
    const registered = await hosts.list();
    const reached = registered.length === 0 ? [] : await authorizer.reachableHosts(principal, registered);
    try {
      return { containers: await list(principal), hosts: reached, fault: undefined };
    } catch (error) {
      if (!isGatewayError(error, 'engine-unavailable')) throw error;
      return { containers: [], hosts: reached, fault: error };
    }
  }

  async function resolveAmong(reachable: Reachable, principal: Principal, name: string): Promise<Target> {
    const { host, found } = findPrefixed(reachable, name, targetPrefix);
    if (host) return hosts.asTarget(host);
    const [first, ...others] = found;
    if (first === undefined) {
      if (reachable.fault) throw reachable.fault;
      throw new GatewayError('target-not-found', {
        target: excerpt(name),
        reachable: reachableSentence(reachable, principal),
      });
    }
    if (others.length > 0) {
      const ids = [first, ...others].map(({ id }) => id.slice(0, 12)).join(', ');
      throw new GatewayError('target-ambiguous', { target: excerpt(name), ids: excerpt(ids, 200) });
    }
    return first;
  }

  const resolve = async (principal: Principal, name: string) =>
    resolveAmong(await listAll(principal), principal, name);

  async function resolvePermitted(principal: Principal, name: string): Promise<Target> {
    const reachable = await listAll(principal);
    const target = await resolveAmong(reachable, principal, name);
    checkTokenMeans(principal, reachable, target, targetPrefix);
    return target;
  }

  return {
    list,
    resolve,
    resolveContainer: async (principal, name) => containerOnly(await resolve(principal, name)),
    authorize: async (principal, name, user) =>
      authorizer.authorize(principal, await resolvePermitted(principal, name), user),
    authorizeContainer: async (principal, name, user) =>
      authorizer.authorize(principal, containerOnly(await resolvePermitted(principal, name)), user),
    start: (target) => engine.start(target.id),
    stop: (target) => engine.stop(target.id),
    restart: (target) => engine.restart(target.id),
    defaultUser: (target) => engine.defaultUser(target),
    sshName: (target) => targetPrefix + target.name,
  };
}

/** Throws not-a-container. */
export function containerOnly(target: Target): ContainerTarget {
  if (target.kind === 'container') return target;
  throw new GatewayError('not-a-container', { name: target.name });
}

/** People also type the name with its ssh prefix; a target really called so comes first. */
function findPrefixed(reachable: Reachable, name: string, prefix: string): Found {
  const found = findNamed(reachable, name);
  if (found.host || found.found.length > 0 || !name.toLowerCase().startsWith(prefix)) return found;
  return findNamed(reachable, name.slice(prefix.length));
}

/** A host, or else containers: none, the one, or several of the same step. */
interface Found {
  readonly host?: HostRow | undefined;
  readonly found: readonly ContainerTarget[];
}

/** A host comes after a container's own name, before what its label says. */
function findNamed({ containers, hosts }: Reachable, name: string): Found {
  const found = findTargets(containers, name);
  const isOwnName = found.some((each) => each.name.toLowerCase() === name.toLowerCase());
  return { host: isOwnName ? undefined : findHost(hosts, name), found };
}

/** `ssh rexec-web` in a token is for the target really called so, where there is one, and not for `web` besides. */
function checkTokenMeans(
  { identity: { token } }: Principal,
  { containers }: Reachable,
  { name }: Target,
  prefix: string,
): void {
  if (!token || token.container !== undefined) return;
  if (token.cmds.includes('ssh') || token.cmds.includes(`ssh ${name}`)) return;
  if (containers.some((other) => other.name === prefix + name))
    throw new GatewayError('token-not-allowed', {});
}

const namedAtMost = 10;

/** Ends the sentence "no target for you": the same whether the target exists or not. */
function reachableSentence({ containers, hosts }: Reachable, principal: Principal): string {
  const { token } = principal.identity;
  if (token && !token.cmds.includes('ls')) return '"ls" shows what its account can reach.';
  const names = [...containers.map(({ name }) => name), ...hosts.map(({ slug }) => slug)];
  if (names.length === 0) return nothingReachable(principal);
  const named = names.slice(0, namedAtMost);
  const more = names.length - named.length;
  return `You can reach: ${named.join(', ')}${more > 0 ? ` and ${more} more ("ls" lists them)` : ''}.`;
}

/** By code unit: the same order on every machine. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
