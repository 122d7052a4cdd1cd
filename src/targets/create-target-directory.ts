/** The directory over the container engines and the registered hosts: what a person reaches, and which target a name means. */
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Config } from '../config/config.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { findHost, type Hosts } from '../hosts/hosts.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { HostRow } from '../store/schema.ts';
import { fullName, ownEngineName, withLoginNames } from './engine-names.ts';
import { findTargets } from './find-target.ts';
import { type JoinedEngine, type SilentEngine, withRemembered } from './joined-engine.ts';
import { nothingReachable } from './nothing-reachable.ts';
import type { ContainerTarget, Target } from './target.ts';
import type { Overview, TargetDirectory } from './target-directory.ts';

export interface TargetDirectoryDependencies {
  readonly engine: Pick<JoinedEngine, 'survey' | 'start' | 'stop' | 'restart' | 'defaultUser'>;
  readonly hosts: Pick<Hosts, 'list' | 'asTarget'>;
  readonly authorizer: Authorizer;
  readonly config: Pick<Config, 'targetPrefix'>;
}

/** What somebody reaches. */
interface Reachable {
  readonly containers: readonly ContainerTarget[];
  readonly hosts: readonly HostRow[];
  /** Engines whose containers are not known now, or as they last were. */
  readonly silent: readonly SilentEngine[];
  readonly isHasty: boolean;
}

export function createTargetDirectory(dependencies: TargetDirectoryDependencies): TargetDirectory {
  const { engine, hosts, authorizer, config } = dependencies;
  const { targetPrefix } = config;
  const { look, listAll } = createSurveys(dependencies);
  const meant = async (reachable: Reachable, principal: Principal, name: string): Promise<Target> => {
    const { host, container } = getMeant(reachable, principal, name, targetPrefix);
    return host ? hosts.asTarget(host) : container;
  };

  /** Only what is not found is worth waiting for engines that are slow, and asking them all anew. */
  async function find(principal: Principal, name: string) {
    const reachable = await listAll(principal, false);
    try {
      return { reachable, target: await meant(reachable, principal, name) };
    } catch (error) {
      const isKnownAway = reachable.silent.some(({ fault, isAway }) => isAway && fault === error);
      const mayBeThere = isGatewayError(error, 'target-not-found') || isUnavailable(error);
      if (!reachable.isHasty || isKnownAway || !mayBeThere) throw error;
    }
    const later = await listAll(principal, true);
    return { reachable: later, target: await meant(later, principal, name) };
  }

  const resolve = async (principal: Principal, name: string) => (await find(principal, name)).target;

  async function resolvePermitted(principal: Principal, name: string): Promise<Target> {
    const { reachable, target } = await find(principal, name);
    checkTokenMeans(principal, reachable, target, targetPrefix);
    return target;
  }

  return {
    look,
    async list(principal) {
      const { containers, silent } = await look(principal);
      const fault = silent.find((each) => each.engine === undefined)?.fault;
      if (fault && containers.length === 0) throw fault;
      return containers;
    },
    resolve,
    resolveContainer: async (principal, name) => containerOnly(await resolve(principal, name)),
    authorize: async (principal, name, user) =>
      authorizer.authorize(principal, await resolvePermitted(principal, name), user),
    authorizeContainer: async (principal, name, user) =>
      authorizer.authorize(principal, containerOnly(await resolvePermitted(principal, name)), user),
    start: (target) => engine.start(target),
    stop: (target) => engine.stop(target),
    restart: (target) => engine.restart(target),
    defaultUser: (target) => engine.defaultUser(target),
    sshName: (target) =>
      targetPrefix + (target.kind === 'container' ? (target.loginName ?? target.name) : target.name),
  };
}

/** What somebody reaches at the moment. */
function createSurveys({ engine, hosts, authorizer }: TargetDirectoryDependencies) {
  async function reachableOf(principal: Principal, targets: readonly ContainerTarget[]) {
    const reachable = await authorizer.reachable(principal, targets);
    return reachable.toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  }
  const reachableHosts = async (principal: Principal) => {
    const registered = await hosts.list();
    return registered.length === 0 ? [] : authorizer.reachableHosts(principal, registered);
  };
  return {
    async look(principal: Principal): Promise<Overview> {
      const { containers, silent } = await engine.survey();
      const [own, reached] = await Promise.all([
        reachableOf(principal, containers),
        reachableHosts(principal),
      ]);
      return { containers: withLoginNames(own, namesOf(reached)), silent };
    },
    /** Where the engines are away, hosts are reached all the same. */
    async listAll(principal: Principal, patient: boolean): Promise<Reachable> {
      const survey = await engine.survey({ patient });
      const [containers, reached] = await Promise.all([
        reachableOf(principal, withRemembered(survey)),
        reachableHosts(principal),
      ]);
      return {
        containers: withLoginNames(containers, namesOf(reached)),
        hosts: reached,
        silent: survey.silent,
        isHasty: survey.isHasty,
      };
    },
  };
}

type Meant =
  | { readonly host: HostRow; readonly container?: undefined }
  | { readonly host?: undefined; readonly container: ContainerTarget };

/** Throws what people are told where the name means none, or more than one, or one whose engine is away. */
function getMeant(reachable: Reachable, principal: Principal, name: string, prefix: string): Meant {
  const { host, found } = findPrefixed(reachable, name, prefix);
  if (host) return { host };
  const [first, ...others] = found;
  if (first === undefined) {
    const fault = findFault(reachable, withoutPrefix(name, prefix));
    if (fault) throw fault;
    throw new GatewayError('target-not-found', {
      target: excerpt(name),
      reachable: reachableSentence(reachable, principal) + silentSentence(reachable),
    });
  }
  if (others.length > 0) throw ambiguous(name, [first, ...others]);
  const away = reachable.silent.find((each) => each.engine === first.engine && each.isAway);
  if (away) throw away.fault;
  return { container: first };
}

/** Throws not-a-container. */
export function containerOnly(target: Target): ContainerTarget {
  if (target.kind === 'container') return target;
  throw new GatewayError('not-a-container', { name: target.name });
}

const namesOf = (hosts: readonly HostRow[]) =>
  new Set(hosts.flatMap(({ slug, name }) => [slug, name.toLowerCase()]));

const isUnavailable = (error: unknown) => isGatewayError(error, 'engine-unavailable');

/** Of several engines the full names tell them apart; of one, only ids do. */
function ambiguous(name: string, found: readonly ContainerTarget[]): GatewayError {
  const isOfEngines = found.some(({ engine }) => engine !== undefined);
  const names = isOfEngines ? found.map(fullName).toSorted() : found.map(({ id }) => id.slice(0, 12));
  return new GatewayError('target-ambiguous', {
    target: excerpt(name),
    ids: excerpt(names.join(', '), 200),
    what: isOfEngines ? 'names' : 'ids',
  });
}

/** Why what was asked for cannot be known: its engine is silent, or there is none other. */
function findFault({ silent, containers }: Reachable, name: string): GatewayError | undefined {
  const lower = name.toLowerCase();
  const asked = silent.find(({ engine = ownEngineName }) => {
    return lower.startsWith(`${engine}/`) || lower.endsWith(`.${engine}`);
  });
  const own = silent.find(({ engine }) => engine === undefined);
  return (asked ?? (containers.length === 0 ? own : undefined))?.fault;
}

function silentSentence({ silent }: Reachable): string {
  const names = silent.map(({ engine = ownEngineName }) => `"${engine}"`);
  if (names.length === 0) return '';
  const shown = names.slice(0, namedAtMost).join(', ');
  return ` Of engines that do not answer (${shown}) nothing is known now.`;
}

const withoutPrefix = (name: string, prefix: string) =>
  name.toLowerCase().startsWith(prefix) ? name.slice(prefix.length) : name;

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
  const names = [
    ...containers.map(({ name, loginName = name }) => loginName),
    ...hosts.map(({ slug }) => slug),
  ];
  if (names.length === 0) return nothingReachable(principal);
  const named = names.slice(0, namedAtMost);
  const more = names.length - named.length;
  return `You can reach: ${named.join(', ')}${more > 0 ? ` and ${more} more ("ls" lists them)` : ''}.`;
}

/** By code unit: the same order on every machine. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
