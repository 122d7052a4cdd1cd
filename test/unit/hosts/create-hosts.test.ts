import { describe, expect, it } from 'vitest';
import { createHosts } from '../../../src/hosts/create-hosts.ts';
import { findHost, type HostToAdd, hostKey } from '../../../src/hosts/hosts.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { putAccount, putGrant, startOfTests } from '../../support/people.ts';

const rules = forEachTest(async () => {
  const store = createMemoryStore();
  const hosts = createHosts({
    store,
    clock: { now: () => startOfTests },
    dataDir: '/nosuch',
    targetPrefix: 'rexec-',
    isContainerName: async (name) => name === 'web',
  });
  return { store, hosts };
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
  rules.hosts.add({ ...facts, ...more }, { accountId: 'ada', isAdmin });

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

  it('borrowed-identity: no identity file, and not even whether one is there', async () => {
    await expect(add({ identityFile: 'db' }, false)).rejects.toMatchObject({ code: 'not-allowed' });
    await expect(add({ identityFile: 'db' })).rejects.toMatchObject({ code: 'invalid-host' });
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
    expect((await others).slug).toBe('one-more');
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
    await rules.hosts.remove(inner);
    await rules.hosts.remove(jump);
    await expect(add({ via: jump })).rejects.toMatchObject({ code: 'host-not-found' });
  });
});
