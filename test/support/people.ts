/** People and containers for tests of who may do what. */
import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { type Identity, provenIdentity } from '../../src/auth/identity.ts';
import { GatewayError } from '../../src/errors.ts';
import { readHostTarget } from '../../src/hosts/host-target.ts';
import type { Hosts } from '../../src/hosts/hosts.ts';
import { destinationText } from '../../src/sessions/forwarding.ts';
import type { SessionHandler } from '../../src/sessions/session.ts';
import type { AccountRow, GrantRow, KeyRow, Role } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { surveyOf } from '../../src/targets/engines/create-joined-engine.ts';
import type { JoinedEngine } from '../../src/targets/joined-engine.ts';
import type { ContainerRef, ContainerTarget } from '../../src/targets/target.ts';

export const startOfTests = Date.parse('2026-01-15T12:00:00.000Z');
const createdAt = '2026-01-01T00:00:00.000Z';

/** A container as an engine lists it; its id follows from its name unless given. */
export function container(name: string, facts: Partial<ContainerTarget> = {}): ContainerTarget {
  return {
    kind: 'container',
    id: createHash('sha256').update(name).digest('hex'),
    name,
    key: `container:${name}`,
    image: 'busybox:1',
    state: 'running',
    status: 'Up 3 hours',
    labels: {},
    networkMode: 'bridge',
    createdAt,
    address: '172.17.0.9',
    ...facts,
  };
}

/** An engine that lists what it is given and notes what is asked of it. */
export function listedEngine(containers: ContainerTarget[]) {
  const asked: string[] = [];
  let problem: string | undefined;
  const act =
    (verb: string, state: string) =>
    async ({ id }: ContainerRef) => {
      asked.push(`${verb} ${id}`);
      const index = containers.findIndex((each) => each.id === id);
      containers[index] = { ...(containers[index] as ContainerTarget), state };
    };
  const list = async () => {
    if (problem !== undefined) throw new GatewayError('engine-unavailable', { reason: problem });
    return containers;
  };
  const engine: JoinedEngine = {
    list,
    survey: () => surveyOf(engine),
    statuses: async () => [],
    forEachEngine: () => () => {},
    start: act('start', 'running'),
    stop: act('stop', 'exited'),
    restart: act('restart', 'running'),
    defaultUser: async () => 'root',
    openSession(authorization): SessionHandler {
      return async ({ start }, io) => {
        const what = start.kind === 'exec' ? start.command : start.kind;
        io.stdout.write(`${authorization.user ?? '(default)'}@${authorization.target.name}: ${what}\n`);
        return { exitStatus: 7 };
      };
    },
    dialWeb: async ({ target: { name } }) => {
      throw new GatewayError('web-port-closed', { name, ports: '80' });
    },
    runScript: async ({ name }) => {
      throw new GatewayError('no-shell', { name });
    },
    openEvents: async () => (async function* () {})(),
    openChanges: async () => new PassThrough(),
    findChanges: async () => undefined,
    dial: async ({ target: { name } }, destination) => {
      const asked = destinationText(destination);
      throw new GatewayError('forward-failed', { destination: asked, name, reason: 'closed.' });
    },
    listen: async ({ target: { name } }) => {
      throw new GatewayError('forward-refused', { name });
    },
    removeLeftovers: async () => undefined,
    ping: async () => undefined,
    close: async () => undefined,
  };
  const breakWith = (reason: string | undefined) => {
    problem = reason;
  };
  return { engine, asked, breakWith };
}

/** The registered hosts of a store, as the directory of targets asks for them. */
export const hostsOf = (store: Store): Pick<Hosts, 'list' | 'asTarget'> => ({
  list: () => store.list('hosts'),
  asTarget: (host) => readHostTarget(store, host),
});

export async function putAccount(
  store: Store,
  name: string,
  role: Role = 'member',
  facts: Partial<AccountRow> = {},
) {
  const account: AccountRow = {
    id: `id-${name}`,
    name,
    role,
    disabled: false,
    createdAt,
    origin: 'admin',
    ...facts,
  };
  await store.transact(async (transaction) => {
    await transaction.put('accounts', account);
    await transaction.put('accountNames', { id: name, accountId: account.id });
  });
  return account;
}

/** A key of an account, by any name; it need not be one that can sign. */
export async function putKey(store: Store, account: AccountRow, name: string, facts: Partial<KeyRow> = {}) {
  const blob = createHash('sha256').update(`${account.id} ${name}`).digest();
  const key: KeyRow = {
    id: `key-${account.name}-${name}`,
    accountId: account.id,
    name,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    publicKey: `ssh-ed25519 ${blob.toString('base64')}`,
    keyType: 'ssh-ed25519',
    kind: 'user',
    createdAt,
    restrictions: {},
    ...facts,
  };
  await store.transact((transaction) => transaction.put('keys', key));
  return key;
}

export async function putGrant(
  store: Store,
  target: Pick<ContainerTarget, 'key'>,
  account: AccountRow,
  facts: Partial<GrantRow> = {},
) {
  const grant: GrantRow = {
    id: `${target.key} ${account.id}`,
    targetKey: target.key,
    accountId: account.id,
    users: [],
    noPty: false,
    noForwarding: false,
    noSftp: false,
    createdBy: 'gateway',
    createdAt,
    ...facts,
  };
  await store.transact((transaction) => transaction.put('grants', grant));
  return grant;
}

export function identityOf(account: AccountRow, key: KeyRow, outer?: Identity): Identity {
  return provenIdentity({
    accountId: account.id,
    accountName: account.name,
    keyId: key.id,
    fingerprint: key.fingerprint,
    source: { address: '192.0.2.7', port: 50123 },
    ...(outer ? { outer } : {}),
  });
}
