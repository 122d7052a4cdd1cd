import { beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/auth/authorizer.ts';
import { provenIdentity } from '../../../src/auth/identity.ts';
import { findTargets } from '../../../src/targets/find-target.ts';
import type { ContainerTarget } from '../../../src/targets/target.ts';
import type { TargetDirectory } from '../../../src/targets/target-directory.ts';
import { container, listedEngine } from '../../support/people.ts';
import { openTargetDirectory } from '../../support/target-directory.ts';

const owned = (name: string, facts: Partial<ContainerTarget> = {}) =>
  container(name, { ...facts, labels: { 'rexec.owner': 'olga', ...facts.labels } });

let containers: ContainerTarget[];
let engine: ReturnType<typeof listedEngine>;
let directory: TargetDirectory;
let admin: Principal;
let owner: Principal;

beforeEach(async () => {
  containers = [];
  engine = listedEngine(containers);
  const open = openTargetDirectory(engine.engine);
  directory = open.directory;
  admin = await open.principal('ada', 'admin');
  owner = await open.principal('olga');
});

const resolved = async (principal: Principal, name: string) =>
  directory.resolve(principal, name).then(
    (target) => target.name,
    (error: Error & { code: string }) => error.code,
  );

describe('what a name means', () => {
  it('a Docker name, a rexec.name label, an id, a prefix of six digits, cont_ and a prefix', async () => {
    const web = owned('web-1', { labels: { 'rexec.name': 'shop' } });
    containers.push(web, owned('db'));
    const names = ['web-1', 'WEB-1', 'shop', 'Shop', web.id, web.id.toUpperCase(), web.id.slice(0, 6)];
    names.push(
      web.id.slice(0, 12),
      `cont_${web.id.slice(0, 6)}`,
      `CONT_${web.id}`,
      'rexec-web-1',
      'REXEC-shop',
    );
    for (const name of names) expect([name, await resolved(owner, name)]).toEqual([name, 'web-1']);
  });

  it.each([
    '',
    ' ',
    'we',
    'web-1 ',
    'cont_',
    'rexec-',
    '__proto__',
    'constructor',
    '..',
    '*',
    'web-1\0',
    '/web-1',
  ])('%j means nothing', async (name) => {
    containers.push(owned('web-1'));
    expect(await resolved(owner, name)).toBe('target-not-found');
  });

  it('five digits of an id are too few', async () => {
    const web = owned('web');
    containers.push(web);
    expect(await resolved(owner, web.id.slice(0, 5))).toBe('target-not-found');
  });

  it('a container really called rexec-web is meant before web', async () => {
    containers.push(owned('web'), owned('rexec-web'));
    expect(await resolved(owner, 'rexec-web')).toBe('rexec-web');
  });

  it('label-shadows-name: a label cannot take the name of another container', async () => {
    const victim = owned('web');
    containers.push(owned('evil', { labels: { 'rexec.name': 'web' } }), victim);
    expect(await resolved(owner, 'web')).toBe('web');
    containers.push(owned('evil2', { labels: { 'rexec.name': victim.id } }));
    expect(await resolved(owner, victim.id.slice(0, 12))).toBe('web');
  });

  it('label-blocks-name: a label on a container of others makes no name ambiguous', async () => {
    containers.push(owned('web', { labels: { 'rexec.name': 'shop' } }));
    containers.push(container('other', { labels: { 'rexec.name': 'shop' } }));
    expect(await resolved(owner, 'shop')).toBe('web');
  });

  it('two of yours by one name: the sentence has both ids', async () => {
    const both = ['a', 'b'].map((name) => owned(name, { labels: { 'rexec.name': 'shop' } }));
    containers.push(...both);
    const failure = await directory.resolve(owner, 'shop').catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'target-ambiguous', exitStatus: 255 });
    for (const { id } of both) expect((failure as Error).message).toContain(id.slice(0, 12));
  });

  it('names that differ in case only: the exact one, else both ids', async () => {
    containers.push(owned('Web'), owned('WEB'));
    expect(await resolved(owner, 'Web')).toBe('Web');
    expect(await resolved(owner, 'web')).toBe('target-ambiguous');
  });

  it('an id prefix that two share is ambiguous', () => {
    const pair = ['a', 'b'].map((name, index) => container(name, { id: `abcdef${index}`.padEnd(64, '0') }));
    expect(findTargets(pair, 'abcdef')).toHaveLength(2);
    expect(findTargets(pair, 'abcdef1')).toHaveLength(1);
  });
});

describe('what a person is told', () => {
  it('unknown-target: what does not exist and what is not yours get the same sentence', async () => {
    containers.push(owned('web'), container('secret'));
    const sentence = async (name: string) =>
      ((await directory.resolve(owner, name).catch((error: Error) => error)) as Error).message.replace(
        name,
        'NAME',
      );
    expect(await sentence('secret')).toBe(await sentence('nosuch'));
    expect(await sentence('secret')).toContain('You can reach: web.');
    expect(await sentence(container('secret').id)).toBe(await sentence('f'.repeat(64)));
  });

  it('at most ten names are listed, and a name of 64 KiB is not repeated in full', async () => {
    for (let index = 0; index < 40; index++) containers.push(owned(`c${index}`));
    const failure = (await directory
      .resolve(owner, 'x'.repeat(65_536))
      .catch((error: Error) => error)) as Error;
    expect(failure.message).toMatch(/and 30 more/);
    expect(failure.message.length).toBeLessThan(400);
  });

  it('somebody who reaches nothing is told whom to ask', async () => {
    const failure = (await directory.resolve(owner, 'web').catch((error: Error) => error)) as Error;
    expect(failure.message).toMatch(/You can reach no target yet; ask an admin/);
  });

  it('an engine that does not answer is its own sentence', async () => {
    engine.breakWith('connect ENOENT');
    expect(await resolved(admin, 'web')).toBe('engine-unavailable');
  });
});

describe('with a token', () => {
  const withToken = (cmds: readonly string[]): Principal => ({
    ...owner,
    identity: provenIdentity({ ...owner.identity, token: { cmds } }),
  });
  const entered = async (cmds: readonly string[], name: string) =>
    directory.authorize(withToken(cmds), name, undefined).then(
      ({ target }) => target.name,
      (error: Error & { code: string }) => error.code,
    );

  it('token-for-two: "ssh rexec-web" is for the container really called so, and not for web besides', async () => {
    containers.push(owned('web'));
    expect(await entered(['ssh rexec-web'], 'web')).toBe('web');
    containers.push(owned('rexec-web'));
    expect(await entered(['ssh rexec-web'], 'rexec-web')).toBe('rexec-web');
    expect(await entered(['ssh rexec-web'], 'web')).toBe('token-not-allowed');
    for (const cmds of [['ssh'], ['ssh rexec-web', 'ssh web']])
      expect(await entered(cmds, 'web')).toBe('web');
  });

  it('list-by-error: one that may not run ls is told no names', async () => {
    containers.push(owned('web'), owned('payroll'));
    const told = async (cmds: readonly string[]) =>
      ((await directory.resolve(withToken(cmds), 'x').catch((error: Error) => error)) as Error).message;
    expect(await told(['ssh web'])).not.toMatch(/payroll|web/);
    expect(await told(['ssh web', 'ls'])).toMatch(/payroll/);
  });
});

describe('the list', () => {
  it('holds what the person reaches, in order of name', async () => {
    containers.push(owned('b'), container('c'), owned('a'));
    expect((await directory.list(owner)).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await directory.list(admin)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('authorize carries the very container that was found', async () => {
    const web = owned('web');
    containers.push(web);
    const authorization = await directory.authorize(owner, 'rexec-web', 'root');
    expect(authorization.target).toBe(web);
    expect(authorization.user).toBe('root');
    expect(directory.sshName(web)).toBe('rexec-web');
  });

  it('starting, stopping and restarting name the id that was found', async () => {
    const web = owned('web');
    containers.push(web);
    const target = await directory.resolveContainer(owner, 'web');
    await directory.stop(target);
    await directory.start(target);
    await directory.restart(target);
    expect(engine.asked).toEqual([`stop ${web.id}`, `start ${web.id}`, `restart ${web.id}`]);
  });
});
