import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { createHosts } from '../../../src/hosts/create-hosts.ts';
import { findHost, type HostToAdd, hostKey } from '../../../src/hosts/hosts.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { makePublicKey } from '../../support/lobby.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { putAccount, putGrant, startOfTests } from '../../support/people.ts';

const keyOf = () => makePublicKey().split(' ').slice(0, 2).join(' ');
const hostKeys = { old: keyOf(), new: keyOf() };

const rules = forEachTest(async () => {
  const store = createMemoryStore();
  await putAccount(store, 'ada', 'admin', { id: 'ada' });
  let shown: readonly string[] | GatewayError = [hostKeys.old];
  const scanned: string[] = [];
  const hosts = createHosts({
    store,
    clock: { now: () => startOfTests },
    dataDir: '/nosuch',
    targetPrefix: 'rexec-',
    isContainerName: async (name) => name === 'web',
    scanHost: async ({ name }) => {
      scanned.push(name);
      if (shown instanceof GatewayError) throw shown;
      return shown;
    },
  });
  const show = (keys: readonly string[] | GatewayError) => {
    shown = keys;
  };
  return { store, hosts, scanned, show };
});

const facts: HostToAdd = {
  name: 'Production DB',
  username: 'ubuntu',
  hostname: 'db.example.com',
  port: 22,
  ports: [],
  shared: false,
};
const add = (more: Partial<HostToAdd> = {}, isAdmin = true) =>
  rules.hosts.add({ ...facts, ...more }, { accountId: 'ada', isAdmin }).then(({ host }) => host);

describe('names of hosts', () => {
  it.each([
    ['Production DB', 'production-db'],
    ['  ', undefined],
    ['db', 'db'],
    ['DB (old) #2', 'db-old-2'],
    ['Köln', 'koln'],
    ['東京 1', '1'],
    ['東京', undefined],
    ['--', undefined],
    ['', undefined],
    [' db', undefined],
    ['d\x1bb', undefined],
    ['d\u202eb', undefined],
    ['z'.repeat(63), 'z'.repeat(63)],
    ['z'.repeat(64), undefined],
  ])('%j has the slug %j', async (name, slug) => {
    const code = await add({ name }).then(
      (row) => row.slug,
      (error: { code: string }) => error.code,
    );
    expect(code).toBe(slug ?? 'invalid-host');
  });

  it('are unique, by name and by slug, and no container has them', async () => {
    await add();
    for (const name of ['Production DB', 'production db', 'production-db', 'Web', 'web']) {
      await expect(add({ name })).rejects.toMatchObject({ code: 'host-name-taken', httpStatus: 409 });
    }
    expect(await rules.hosts.list()).toHaveLength(1);
  });

  it("name-of-another-target: none can stand for a container's prefixed name or id", async () => {
    for (const name of ['rexec-web', 'Rexec web', '0123456789ab', 'ab'.repeat(31)]) {
      await expect(add({ name })).rejects.toMatchObject({ code: 'invalid-host' });
    }
  });

  it('somebody-elses-id: a name that is the id of another host finds that host', async () => {
    const first = await add();
    await add({ name: first.id });
    expect(findHost(await rules.hosts.list(), first.id)).toEqual(first);
  });
});

describe('what a member may register', () => {
  it('ssrf: nothing on the gateway’s own side', async () => {
    for (const hostname of [
      '127.0.0.1',
      '169.254.169.254',
      '::ffff:10.0.0.1',
      '64:ff9b::7f00:1',
      'localhost',
    ]) {
      await expect(add({ hostname }, false)).rejects.toMatchObject({
        code: 'host-address-refused',
        httpStatus: 403,
      });
    }
    expect((await add({}, false)).hostname).toBe('db.example.com');
    expect((await add({ name: 'local', hostname: '127.0.0.1' })).hostname).toBe('127.0.0.1');
  });

  it('borrowed-identity: no key of the gateway’s, and not even whether a file is there', async () => {
    await expect(add({ egressKey: true }, false)).rejects.toMatchObject({ code: 'not-allowed' });
    await expect(add({ identityFile: 'db' }, false)).rejects.toMatchObject({ code: 'not-allowed' });
    await expect(add({ identityFile: 'db' })).rejects.toMatchObject({ code: 'invalid-host' });
  });
});

describe('host keys', () => {
  const unreachable = new GatewayError('host-unreachable', { host: 'h', reason: 'connection refused' });

  it('that a host shows when it is registered are pinned; given ones, without looking', async () => {
    expect((await add()).hostKeys).toEqual([hostKeys.old]);
    expect((await add({ name: 'b', hostKeys: [hostKeys.new] })).hostKeys).toEqual([hostKeys.new]);
    expect(rules.scanned).toEqual(['production-db']);
  });

  it('of a host that is not there are none: it is kept, unpinned, and why is told', async () => {
    rules.show(unreachable);
    const { host, unpinned } = await rules.hosts.add(facts, { accountId: 'ada', isAdmin: true });
    expect([host.hostKeys, unpinned]).toEqual([undefined, unreachable]);
    expect(await rules.hosts.list()).toEqual([host]);
  });

  it('ssrf: a name that leads to the gateway’s own networks is not kept', async () => {
    rules.show(new GatewayError('host-address-refused', { hostname: 'inside.example.com' }));
    await expect(add({}, false)).rejects.toMatchObject({ code: 'host-address-refused' });
    expect(await rules.hosts.list()).toEqual([]);
  });

  it('a host that nobody may register is not even looked at', async () => {
    await add();
    for (const more of [{}, { name: 'web' }, { name: 'x', identityFile: 'nosuch' }])
      await expect(add(more)).rejects.toBeInstanceOf(GatewayError);
    expect(rules.scanned).toEqual(['production-db']);
  });

  it('are changed by pinning others, and a host removed meanwhile does not come back', async () => {
    const host = await add();
    rules.show([hostKeys.new]);
    expect(await rules.hosts.scan(host)).toEqual([hostKeys.new]);
    await rules.hosts.pin(host, [hostKeys.new]);
    expect(await rules.hosts.list()).toEqual([{ ...host, hostKeys: [hostKeys.new] }]);
    await rules.hosts.remove(host);
    await expect(rules.hosts.pin(host, [])).rejects.toMatchObject({ code: 'host-not-found' });
  });
});

describe('renaming', () => {
  it('changes name and slug and nothing else', async () => {
    const host = await add();
    expect(await rules.hosts.rename(host, 'Old DB')).toEqual({ ...host, name: 'Old DB', slug: 'old-db' });
    expect(await rules.hosts.rename(host, 'OLD db')).toMatchObject({ name: 'OLD db', slug: 'old-db' });
  });

  it('is refused to a name that another host or a container has', async () => {
    const host = await add();
    await add({ name: 'taken' });
    for (const name of ['Taken', 'web', 'WEB'])
      await expect(rules.hosts.rename(host, name)).rejects.toMatchObject({ code: 'host-name-taken' });
    await expect(rules.hosts.rename(host, 'rexec-db')).rejects.toMatchObject({ code: 'invalid-host' });
  });
});

describe('how many hosts', () => {
  it('an account may register a thousand', async () => {
    const first = await add();
    await rules.store.transact(async (transaction) => {
      for (let n = 1; n < 1_000; n++)
        await transaction.put('hosts', { ...first, id: `h${n}`, slug: `h${n}` });
    });
    await expect(add({ name: 'one more' })).rejects.toMatchObject({ code: 'too-many-hosts' });
    const others = rules.hosts.add({ ...facts, name: 'one more' }, { accountId: 'bob', isAdmin: true });
    expect((await others).host.slug).toBe('one-more');
  });
});

describe('removing a host', () => {
  it('takes its grants, tags and second-factor rule with it', async () => {
    const host = await add();
    const id = hostKey(host);
    await putGrant(rules.store, { key: id }, await putAccount(rules.store, 'gus'));
    await rules.store.transact(async (transaction) => {
      await transaction.put('targetTags', { id, tags: ['ci'] });
      await transaction.put('secondFactorTargets', { id, since: host.createdAt });
    });
    await rules.hosts.remove(host);
    for (const table of ['hosts', 'grants', 'targetTags', 'secondFactorTargets'] as const) {
      expect(await rules.store.list(table)).toEqual([]);
    }
  });

  it('waits until no other host is reached through it', async () => {
    const jump = await add({ name: 'jump' });
    const inner = await add({ name: 'inner', via: jump });
    await expect(rules.hosts.remove(jump)).rejects.toMatchObject({ code: 'host-in-use' });
    let deepest = inner;
    for (const name of ['b', 'c', 'd']) deepest = await add({ name, via: deepest });
    await expect(add({ name: 'too deep', via: deepest })).rejects.toMatchObject({ code: 'host-via-refused' });
    for (const { id } of (await rules.hosts.list()).slice(2))
      await rules.store.transact((transaction) => transaction.remove('hosts', id));
    await rules.hosts.remove(inner);
    await rules.hosts.remove(jump);
    await expect(add({ via: jump })).rejects.toMatchObject({ code: 'host-not-found' });
  });
});
