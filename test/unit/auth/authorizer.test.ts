import { describe, expect, it } from 'vitest';
import type { SessionAllowances } from '../../../src/auth/authorization.ts';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import type { ContainerTarget } from '../../../src/targets/target.ts';
import { config, hidden, onHostNetwork, openAccess, tagged, targets, web } from '../../support/access.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { container } from '../../support/people.ts';

const access = forEachTest(openAccess);

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
    const reachable = await access.authorizer.reachable(await access.principalOf(name), targets);
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
      expect([user, await access.enter(name, target, user === '' ? undefined : user)]).toEqual([
        user,
        outcome,
      ]);
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
    const { allows: left } = await access.authorizer.authorize(
      await access.principalOf(name),
      target,
      undefined,
    );
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
    const principal = await access.principalOf(name);
    expect(
      targets.filter((target) => access.authorizer.mayManage(principal, target)).map((each) => each.name),
    ).toEqual(managed);
  });
});

describe('users', () => {
  it.each(['a\x1b[2J', 'a\nb', 'a b', '\u202eroot', 'x'.repeat(256), '\0'])(
    '%j is a user nowhere',
    async (user) => {
      expect(await access.enter('admin', web, user)).toBe('no-such-user');
      expect(await access.enter('stranger', web, user)).toBe('target-not-found');
    },
  );
});

describe('labels', () => {
  it('an owner label names whole account names', async () => {
    const principal = await access.principalOf('owner');
    for (const owners of ['olgas', 'ol', 'OLGA', '*', '', 'olga@example.com', 'x;olga', 'olga\0']) {
      expect(
        access.authorizer.mayManage(principal, container('c', { labels: { 'rexec.owner': owners } })),
      ).toBe(false);
    }
    expect(
      access.authorizer.mayManage(principal, container('c', { labels: { 'rexec.owner': 'x ,\tolga' } })),
    ).toBe(true);
  });

  it('labels that an object inherits count for nothing', async () => {
    const labels = Object.create({ 'rexec.owner': 'olga', 'rexec.enable': 'false' }) as Record<
      string,
      string
    >;
    expect(access.authorizer.mayManage(await access.principalOf('owner'), container('c', { labels }))).toBe(
      false,
    );
    expect(
      await access.authorizer.reachable(await access.principalOf('admin'), [container('c', { labels })]),
    ).toHaveLength(1);
  });

  it('"labelled" hides containers without a rexec. label, from admins too', async () => {
    const strict = createAuthorizer({
      store: access.store,
      clock: access.clock,
      config: { ...config, containers: 'labelled' },
    });
    const plain = container('plain', { labels: { maintainer: 'x' } });
    const reachable = await strict.reachable(await access.principalOf('admin'), [plain, web]);
    expect(reachable).toEqual([web]);
  });

  it('the gateway itself and what it makes are no targets, not even of an admin', async () => {
    const own = createAuthorizer({
      store: access.store,
      clock: access.clock,
      config,
      ownContainerId: web.id,
    });
    const sidecar = container('sidecar', { labels: { 'postern.internal': 'sidecar' } });
    const admin = await access.principalOf('admin');
    expect(await own.reachable(admin, [web, sidecar])).toEqual([]);
    await expect(own.authorize(admin, web, undefined)).rejects.toMatchObject({ code: 'target-not-found' });
    expect(own.mayManage(admin, web)).toBe(false);
  });
});
