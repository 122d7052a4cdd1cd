/** The authorizer over the store: accounts, keys, grants and tags are read again for every question. */
import type { Config } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { readHostTarget, usersOf } from '../hosts/host-target.ts';
import { hostKey } from '../hosts/hosts.ts';
import { isNarrowed } from '../keys/narrowing.ts';
import type { Clock } from '../platform/clock.ts';
import { excerpt } from '../platform/excerpt.ts';
import { findOwnContainerId } from '../platform/own-container.ts';
import { readRecordingMode } from '../recordings/recording-modes.ts';
import { checkRequiredFactor, checkTargetFactor, readStanding } from '../second-factor/standing.ts';
import type { GrantRow, HostRow, KeyRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { ContainerTarget, Target } from '../targets/target.ts';
import { isVisible, ownersOf, type VisibilityRules } from '../targets/visibility.ts';
import { type Authorization, grantAuthorization, type SessionAllowances } from './authorization.ts';
import type { Authorizer, Principal } from './authorizer.ts';
import { findCertificateKey } from './certificate-key.ts';
import { isLimited } from './grants.ts';
import type { Identity } from './identity.ts';
import { findOperatorPrincipal } from './operator.ts';
import { findTimeFault } from './token-authenticator.ts';
import { checkTokenCovers } from './token-permissions.ts';

export interface AuthorizerDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly config: Pick<Config, 'containers' | 'targetPrefix'> & Partial<Pick<Config, 'recordings'>>;
  /** The gateway's own container; found by itself unless given. */
  readonly ownContainerId?: string;
}

/** How somebody reaches a target: by right (admin, owner, registrant), as everybody does, or by a grant and what it leaves. */
type Access = 'manages' | 'shared' | GrantRow;

export function createAuthorizer(dependencies: AuthorizerDependencies): Authorizer {
  const { store, config } = dependencies;
  const { managesVisible, readNow, findAccess, findHostAccess, recordingOf } = createReading(dependencies);
  // `User rexec` is what the ssh_config stanza sends: nobody in particular.
  const defaultUser = config.targetPrefix.replace(/-$/, '');

  // A principal that is handed in may be older than a slow engine's answer: all is read again.
  return {
    principal: async (identity) => (await readNow(identity)).who,

    async reachable({ identity }, targets) {
      const { who, keys } = await readNow(identity);
      checkRequiredFactor(who.secondFactor);
      const access = await Promise.all(targets.map((target) => findAccess(who, keys, target)));
      return targets.filter((_, index) => access[index] !== undefined);
    },

    async reachableHosts({ identity }, hosts) {
      const { who, keys } = await readNow(identity);
      checkRequiredFactor(who.secondFactor);
      const access = await Promise.all(hosts.map((host) => findHostAccess(who, keys, host)));
      return hosts.filter((_, index) => access[index] !== undefined);
    },

    async endToEndHosts({ identity }, hosts) {
      const { who, keys } = await readNow(identity);
      const access = await Promise.all(hosts.map((host) => findHostAccess(who, keys, host)));
      const recording = await Promise.all(hosts.map((host) => recordingOf(who, hostKey(host))));
      return hosts.filter((_, index) => goesEndToEnd(access[index], keys, recording[index] === 'required'));
    },

    mayManage: (principal, target) =>
      target.kind === 'host' ? managesHost(principal, target.host) : managesVisible(principal, target),

    mayManageHost: managesHost,

    async authorize<T extends Target>(
      { identity }: Pick<Principal, 'identity'>,
      asWas: T,
      asked: string | undefined,
    ) {
      const { who, keys } = await readNow(identity);
      const target = await readTarget(store, asWas);
      const access: Access | undefined = await findAccess(who, keys, target);
      if (access === undefined) throw unreachable(target);
      checkTokenCovers(who.identity.token, target, config.targetPrefix);
      await checkFactors(store, who, target);
      const wanted = asked === '' || asked === defaultUser ? undefined : asked;
      const user = permittedUser(access, wanted, target);
      const recording = await recordingOf(who, target.key);
      const isRequired = recording === 'required';
      const allows = allowances(access, keys, target, who.account.role === 'admin', isRequired);
      const facts = { target, user, identity, allows, ...(recording ? { recording } : {}) };
      return grantAuthorization(facts) as Authorization<T>;
    },
  };
}

/** What the store says now of people, targets, and who reaches what. */
function createReading({ store, clock, config, ownContainerId }: AuthorizerDependencies) {
  const visibility: VisibilityRules = {
    containers: config.containers,
    ownContainerId: ownContainerId ?? findOwnContainerId(),
  };

  async function readNow(identity: Identity): Promise<{ who: Principal; keys: readonly KeyRow[] }> {
    const operator = findOperatorPrincipal(identity);
    if (operator) return { who: operator, keys: [operator.key] };
    const keys = await readKeys(store, clock, identity);
    if (identity.token && findTimeFault(identity.token, clock.now())) throw gone();
    const account = await store.get('accounts', identity.accountId);
    if (!account || account.disabled) throw gone();
    const secondFactor = await readStanding(store, identity, account);
    const restricted = keys.some(isRestricted);
    return { who: { identity, account, key: keys[0], restricted, secondFactor }, keys };
  }

  async function findAccess(
    who: Principal,
    keys: readonly KeyRow[],
    target: Target,
  ): Promise<Access | undefined> {
    if (target.kind === 'host') return findHostAccess(who, keys, target.host);
    if (!isVisible(target, visibility)) return undefined;
    if (!(await carriesTags(store, keys, target.key))) return undefined;
    return manages(who, target) ? 'manages' : findGrant(store, target.key, who);
  }

  /** A grant's terms hold on a shared host too. */
  async function findHostAccess(
    who: Principal,
    keys: readonly KeyRow[],
    host: HostRow,
  ): Promise<Access | undefined> {
    if (!(await carriesTags(store, keys, hostKey(host)))) return undefined;
    if (managesHost(who, host)) return 'manages';
    return (await findGrant(store, hostKey(host), who)) ?? (host.shared ? 'shared' : undefined);
  }

  const recordingOf = ({ identity: { accountId } }: Principal, targetKey: string) =>
    readRecordingMode(store, config.recordings ?? 'off', { targetKey, accountId });

  const managesVisible = (who: Principal, target: ContainerTarget) =>
    isVisible(target, visibility) && manages(who, target);

  return { managesVisible, readNow, findAccess, findHostAccess, recordingOf };
}

/** What is known of a host is read again as well; of containers only the engine knows. */
async function readTarget<T extends Target>(store: Store, target: T): Promise<T> {
  if (target.kind !== 'host') return target;
  const host = await store.get('hosts', target.id);
  if (!host) throw unreachable(target);
  return (await readHostTarget(store, host)) as Target as T;
}

async function checkFactors(store: Store, { secondFactor }: Principal, target: Target): Promise<void> {
  checkRequiredFactor(secondFactor);
  // Nor does a way round through another host spare anybody what that host asks for.
  for (const { key } of target.kind === 'host' ? [...target.via, target] : [target]) {
    await checkTargetFactor(store, secondFactor, { key, name: target.name });
  }
}

const unreachable = (target: Target) =>
  new GatewayError('target-not-found', { target: target.name, reachable: '"ls" shows what you can reach.' });

/** The key that signed and, inside a jump, those of the outer connections: all must be good now. */
async function readKeys(store: Store, clock: Clock, identity: Identity): Promise<[KeyRow, ...KeyRow[]]> {
  const { certificate } = identity;
  const key = certificate
    ? await findCertificateKey(store, identity, certificate, clock.now())
    : await store.get('keys', identity.keyId);
  if (!key || key.accountId !== identity.accountId || key.fingerprint !== identity.fingerprint) throw gone();
  if (key.expiresAt !== undefined && !(Date.parse(key.expiresAt) > clock.now())) throw gone();
  const { outer } = identity;
  if (!outer) return [key];
  if (outer.accountId !== identity.accountId) throw gone();
  return [key, ...(await readKeys(store, clock, outer))];
}

const gone = () =>
  new GatewayError('not-allowed', { what: 'this gateway', who: 'keys that are registered and valid now' });

/** An API key has one token, which ends when it does: that is no narrower than what was asked for. */
const isRestricted = (key: KeyRow): boolean =>
  isNarrowed(key) || (key.kind === 'user' && key.expiresAt !== undefined);

export async function carriesTags(
  store: Store,
  keys: readonly KeyRow[],
  targetKey: string,
): Promise<boolean> {
  const wanted = keys.flatMap(({ tag }) => (tag === undefined ? [] : [tag]));
  if (wanted.length === 0) return true;
  const tags = (await store.get('targetTags', targetKey))?.tags ?? [];
  return wanted.every((tag) => tags.includes(tag));
}

/** Names of removed accounts are never given out again, so a name in a label keeps its meaning. */
export const manages = ({ account }: Pick<Principal, 'account'>, target: ContainerTarget) =>
  account.role === 'admin' || ownersOf(target).includes(account.name);

const managesHost = ({ account }: Principal, { createdBy }: HostRow) =>
  account.role === 'admin' || account.id === createdBy;

async function findGrant(store: Store, targetKey: string, { identity }: Principal) {
  const grants = await store.list('grants', 'targetKey', targetKey);
  return grants.find(({ accountId }) => accountId === identity.accountId);
}

/** No passwd(5) has other names, and what is printed or logged of them later need not be feared. */
const mayBeUser = (user: string) => /^[^\s\p{C}]{1,255}$/u.test(user);

/** The grant's list is complete: who may enter as some users only is not let in as whatever the default is. */
function permittedUser(access: Access, wanted: string | undefined, target: Target): string | undefined {
  if (wanted !== undefined && !mayBeUser(wanted)) {
    throw new GatewayError('no-such-user', { user: excerpt(wanted), target: target.name });
  }
  const own = target.kind === 'host' ? target.host.username : undefined;
  // The gateway's keys may open more users of a host than its registrant meant to.
  const ofTarget = target.kind === 'host' ? usersOf(target.host) : undefined;
  const ofGrant = typeof access === 'string' ? undefined : usersOfGrant(access, own);
  const user = wanted ?? (ofGrant ? ofGrant[0] : own);
  if (user === undefined) return undefined;
  const isAllowed = [ofTarget, ofGrant].every((users) => users === undefined || users.includes(user));
  if (isAllowed) return user;
  throw new GatewayError('target-user-refused', { user: excerpt(user), target: target.name });
}

/** Without a list, the default user only; which that is in a container, its image says. */
const usersOfGrant = ({ users }: GrantRow, own: string | undefined): readonly string[] =>
  users.length === 0 && own !== undefined ? [own] : users;

export function allowances(
  access: Access,
  keys: readonly KeyRow[],
  target: Target,
  isAdmin: boolean,
  isRecordingRequired = false,
): SessionAllowances {
  const grant = typeof access === 'string' ? undefined : access;
  const forbids = (name: 'noPty' | 'noPortForwarding' | 'noAgentForwarding') =>
    keys.some(({ restrictions }) => restrictions[name] === true);
  return {
    pty: !grant?.noPty && !forbids('noPty'),
    // On the host's network, the container's loopback is the host's.
    forwarding: !grant?.noForwarding && !forbids('noPortForwarding') && (isAdmin || !isOnHostNetwork(target)),
    agentForwarding: !forbids('noAgentForwarding'),
    sftp: !grant?.noSftp,
    ...(target.kind === 'host' ? { endToEnd: goesEndToEnd(access, keys, isRecordingRequired) } : {}),
  };
}

/** A jump is a forwarding, behind which no limit of a grant can be kept, and nothing recorded. */
const goesEndToEnd = (
  access: Access | undefined,
  keys: readonly KeyRow[],
  isRecordingRequired: boolean,
): boolean =>
  access !== undefined &&
  !isRecordingRequired &&
  (typeof access === 'string' || !isLimited(access)) &&
  keys.every(
    ({ restrictions }) => restrictions.noPortForwarding !== true && restrictions.command === undefined,
  );

const isOnHostNetwork = (target: Target) => target.kind === 'container' && target.networkMode === 'host';
