import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionAllowances } from '../../../src/auth/authorization.ts';
import type { Authorizer } from '../../../src/auth/authorizer.ts';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import type { Identity } from '../../../src/auth/identity.ts';
import { operatorIdentity } from '../../../src/auth/operator.ts';
import type { KeyRow } from '../../../src/store/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import type { ContainerTarget } from '../../../src/targets/target.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { container, identityOf, putAccount, putGrant, putKey, startOfTests } from '../../support/people.ts';

const config = { containers: 'all', targetPrefix: 'rexec-' } as const;
const web = container('web', { labels: { 'rexec.owner': 'olga, oscar' } });
const tagged = container('ci', { labels: { 'rexec.owner': 'olga' } });
const onHostNetwork = container('net', { networkMode: 'host', labels: { 'rexec.owner': 'olga' } });
const hidden = container('hidden', { labels: { 'rexec.enable': 'false', 'rexec.owner': 'olga' } });
const targets = [web, tagged, onHostNetwork, hidden];

let nowMs = startOfTests;
let store: Store;
let authorizer: Authorizer;
let people: Record<string, Identity>;

async function person(name: string, role: 'admin' | 'member' = 'member', key: Partial<KeyRow> = {}) {
  const account = await putAccount(store, name, role);
  return { account, identity: identityOf(account, await putKey(store, account, 'k', key)) };
}

beforeEach(async () => {
  nowMs = startOfTests;
  store = createMemoryStore();
  authorizer = createAuthorizer({ store, clock: { now: () => nowMs }, config });
  const admin = await person('ada', 'admin');
  const owner = await person('olga');
  const grantee = await person('gus');
  const userGrantee = await person('ulla');
  const limited = await person('lim');
  const stranger = await person('sam');
  const ownersTaggedKey = await putKey(store, owner.account, 'tagged', { tag: 'ci' });
  const adminsTaggedKey = await putKey(store, admin.account, 'tagged', { tag: 'ci' });
  const bareKey = await putKey(store, owner.account, 'bare', {
    restrictions: { noPty: true, noPortForwarding: true, noAgentForwarding: true },
  });
  await putGrant(store, web, grantee.account);
  await putGrant(store, web, userGrantee.account, { users: ['app', 'www-data'] });
  await putGrant(store, web, limited.account, { noPty: true, noForwarding: true, noSftp: true });
  await putGrant(store, onHostNetwork, grantee.account);
  await store.transact((transaction) => transaction.put('targetTags', { id: tagged.key, tags: ['ci', 'x'] }));
  people = {
    admin: admin.identity,
    owner: owner.identity,
    grantee: grantee.identity,
    'grantee with users': userGrantee.identity,
    'limited grantee': limited.identity,
    stranger: stranger.identity,
    'owner by tagged key': identityOf(owner.account, ownersTaggedKey),
    'admin by tagged key': identityOf(admin.account, adminsTaggedKey),
    'owner by bare key': identityOf(owner.account, bareKey),
    'owner, outer key tagged': identityOf(
      owner.account,
      await putKey(store, owner.account, 'inner'),
      identityOf(owner.account, ownersTaggedKey),
    ),
    'owner, outer key bare': identityOf(
      owner.account,
      await putKey(store, owner.account, 'inner2'),
      identityOf(owner.account, bareKey),
    ),
    operator: operatorIdentity(),
  };
});

const identityNamed = (name: string) => people[name] as Identity;
const principalOf = (name: string) => authorizer.principal(identityNamed(name));

async function enter(name: string, target: ContainerTarget, user: string | undefined) {
  const principal = await principalOf(name);
  return authorizer.authorize(principal, target, user).then(
    (authorization) => authorization.user ?? '(default)',
    (error: { code: string }) => error.code,
  );
}

describe('who reaches what', () => {
  it.each<[string, string[]]>([
    ['admin', ['web', 'ci', 'net']],
    ['operator', ['web', 'ci', 'net']],
    ['owner', ['web', 'ci', 'net']],
    ['grantee', ['web', 'net']],
    ['grantee with users', ['web']],
    ['limited grantee', ['web']],
    ['stranger', []],
    ['owner by tagged key', ['ci']],
    ['admin by tagged key', ['ci']],
    ['owner by bare key', ['web', 'ci', 'net']],
    ['owner, outer key tagged', ['ci']],
    ['owner, outer key bare', ['web', 'ci', 'net']],
  ])('%s reaches %j', async (name, reached) => {
    const reachable = await authorizer.reachable(await principalOf(name), targets);
    expect(reachable.map((target) => target.name)).toEqual(reached);
  });

  const no = 'target-not-found';
  const refused = 'target-user-refused';
  it.each<[string, ContainerTarget, Record<string, string>]>([
    ['admin', web, { '': '(default)', rexec: '(default)', root: 'root', '0:0': '0:0' }],
    ['owner', web, { '': '(default)', rexec: '(default)', root: 'root' }],
    ['grantee', web, { '': '(default)', rexec: '(default)', root: refused, '0': refused, app: refused }],
    [
      'grantee with users',
      web,
      {
        '': 'app',
        rexec: 'app',
        'www-data': 'www-data',
        app: 'app',
        root: refused,
        APP: refused,
        'app:0': refused,
        __proto__: refused,
      },
    ],
    ['limited grantee', web, { '': '(default)', root: refused }],
    ['stranger', web, { '': no, rexec: no, root: no }],
    ['grantee', tagged, { '': no, root: no }],
    ['owner by tagged key', web, { '': no, root: no }],
    ['owner by tagged key', tagged, { '': '(default)', root: 'root' }],
    ['owner, outer key tagged', web, { '': no }],
    ['admin by tagged key', web, { '': no }],
    ['admin', hidden, { '': no, root: no }],
    ['owner', hidden, { '': no }],
    ['operator', hidden, { '': no }],
  ])('%s entering %o as %j', async (name, target, outcomes) => {
    for (const [user, outcome] of Object.entries(outcomes)) {
      expect([user, await enter(name, target, user === '' ? undefined : user)]).toEqual([user, outcome]);
    }
  });

  const all: SessionAllowances = { pty: true, forwarding: true, agentForwarding: true, sftp: true };
  it.each<[string, ContainerTarget, SessionAllowances]>([
    ['admin', web, all],
    ['owner', web, all],
    ['grantee', web, all],
    ['limited grantee', web, { pty: false, forwarding: false, agentForwarding: true, sftp: false }],
    ['owner by bare key', web, { pty: false, forwarding: false, agentForwarding: false, sftp: true }],
    ['owner, outer key bare', web, { pty: false, forwarding: false, agentForwarding: false, sftp: true }],
    ['owner', onHostNetwork, { ...all, forwarding: false }],
    ['grantee', onHostNetwork, { ...all, forwarding: false }],
    ['admin', onHostNetwork, all],
  ])('%s in %o is left %j', async (name, target, allows) => {
    const { allows: left } = await authorizer.authorize(await principalOf(name), target, undefined);
    expect(left).toEqual(allows);
  });

  it.each<[string, string[]]>([
    ['admin', ['web', 'ci', 'net']],
    ['operator', ['web', 'ci', 'net']],
    ['owner', ['web', 'ci', 'net']],
    ['grantee', []],
    ['grantee with users', []],
    ['stranger', []],
  ])('%s manages %j', async (name, managed) => {
    const principal = await principalOf(name);
    expect(
      targets.filter((target) => authorizer.mayManage(principal, target)).map((each) => each.name),
    ).toEqual(managed);
  });
});

describe('users', () => {
  it.each(['a\x1b[2J', 'a\nb', 'a b', '\u202eroot', 'x'.repeat(256), '\0'])(
    '%j is a user nowhere',
    async (user) => {
      expect(await enter('admin', web, user)).toBe('no-such-user');
      expect(await enter('stranger', web, user)).toBe('target-not-found');
    },
  );
});

describe('labels', () => {
  it('an owner label names whole account names', async () => {
    const principal = await principalOf('owner');
    for (const owners of ['olgas', 'ol', 'OLGA', '*', '', 'olga@example.com', 'x;olga', 'olga\0']) {
      expect(authorizer.mayManage(principal, container('c', { labels: { 'rexec.owner': owners } }))).toBe(
        false,
      );
    }
    expect(authorizer.mayManage(principal, container('c', { labels: { 'rexec.owner': 'x ,\tolga' } }))).toBe(
      true,
    );
  });

  it('labels that an object inherits count for nothing', async () => {
    const labels = Object.create({ 'rexec.owner': 'olga', 'rexec.enable': 'false' }) as Record<
      string,
      string
    >;
    expect(authorizer.mayManage(await principalOf('owner'), container('c', { labels }))).toBe(false);
    expect(await authorizer.reachable(await principalOf('admin'), [container('c', { labels })])).toHaveLength(
      1,
    );
  });

  it('"labelled" hides containers without a rexec. label, from admins too', async () => {
    const strict = createAuthorizer({
      store,
      clock: { now: () => nowMs },
      config: { ...config, containers: 'labelled' },
    });
    const plain = container('plain', { labels: { maintainer: 'x' } });
    const reachable = await strict.reachable(await principalOf('admin'), [plain, web]);
    expect(reachable).toEqual([web]);
  });

  it('the gateway itself and what it makes are no targets, not even of an admin', async () => {
    const own = createAuthorizer({ store, clock: { now: () => nowMs }, config, ownContainerId: web.id });
    const sidecar = container('sidecar', { labels: { 'postern.internal': 'sidecar' } });
    const admin = await principalOf('admin');
    expect(await own.reachable(admin, [web, sidecar])).toEqual([]);
    await expect(own.authorize(admin, web, undefined)).rejects.toMatchObject({ code: 'target-not-found' });
    expect(own.mayManage(admin, web)).toBe(false);
  });
});

describe('the state of this moment', () => {
  const change = (work: Parameters<Store['transact']>[0]) => store.transact(work);

  it('a removed key, a disabled or removed account is nobody at once', async () => {
    await change((transaction) => transaction.remove('keys', identityNamed('owner').keyId));
    await expect(principalOf('owner')).rejects.toMatchObject({ code: 'not-allowed' });
    await putAccount(store, 'gus', 'member', { disabled: true });
    await expect(principalOf('grantee')).rejects.toMatchObject({ code: 'not-allowed' });
    await change((transaction) => transaction.remove('accounts', 'id-ulla'));
    await expect(principalOf('grantee with users')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a key expires to the millisecond, and an expiry nobody can read has passed', async () => {
    const { identity } = await person('eve', 'member', {
      expiresAt: new Date(startOfTests + 1_000).toISOString(),
    });
    expect((await authorizer.principal(identity)).restricted).toBe(true);
    nowMs = startOfTests + 1_000;
    await expect(authorizer.principal(identity)).rejects.toMatchObject({ code: 'not-allowed' });
    const odd = await person('odd', 'member', { expiresAt: 'soon' });
    await expect(authorizer.principal(odd.identity)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a key that moved to another account takes nobody with it', async () => {
    const account = await putAccount(store, 'mallory');
    await putKey(store, account, 'k', { id: identityNamed('admin').keyId });
    await expect(principalOf('admin')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('the outer key of a jump removed ends the inner connection', async () => {
    const outer = identityNamed('owner, outer key tagged').outer as Identity;
    await change((transaction) => transaction.remove('keys', outer.keyId));
    await expect(principalOf('owner, outer key tagged')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('an outer key of another account opens nothing', async () => {
    const { identity } = await person('mix');
    const mixed = { ...identity, outer: identityNamed('admin') } as Identity;
    await expect(authorizer.principal(mixed)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a grant taken away counts for a principal made before', async () => {
    const principal = await principalOf('grantee');
    await change((transaction) => transaction.remove('grants', `${web.key} id-gus`));
    await expect(authorizer.authorize(principal, web, undefined)).rejects.toMatchObject({
      code: 'target-not-found',
    });
    expect(await authorizer.reachable(principal, [web])).toEqual([]);
  });

  it('whatever narrows a key makes it restricted, on the outer connection too', async () => {
    const narrowings: Partial<KeyRow>[] = [
      { tag: 'ci' },
      { expiresAt: '2030-01-01T00:00:00.000Z' },
      ...['from', 'command'].map((name) => ({ restrictions: { [name]: 'x' } })),
      ...['noPty', 'noPortForwarding', 'noAgentForwarding'].map((name) => ({
        restrictions: { [name]: true },
      })),
    ];
    const account = await putAccount(store, 'rita');
    const plain = identityOf(account, await putKey(store, account, 'plain'));
    expect((await authorizer.principal(plain)).restricted).toBe(false);
    for (const [index, narrowing] of narrowings.entries()) {
      const narrow = identityOf(account, await putKey(store, account, `narrow${index}`, narrowing));
      const inner = { ...plain, outer: narrow } as Identity;
      expect([narrowing, (await authorizer.principal(narrow)).restricted]).toEqual([narrowing, true]);
      expect([narrowing, (await authorizer.principal(inner)).restricted]).toEqual([narrowing, true]);
    }
  });
});
