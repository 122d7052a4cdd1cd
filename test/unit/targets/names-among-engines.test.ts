/** What a name means where there are several engines, and what an attacker's engine makes of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/auth/authorizer.ts';
import { checkTokenCovers } from '../../../src/auth/token-permissions.ts';
import { GatewayError } from '../../../src/errors.ts';
import { checkEngineIsNamed } from '../../../src/sessions/forwarding.ts';
import type { Store } from '../../../src/store/store.ts';
import type { SilentEngine } from '../../../src/targets/joined-engine.ts';
import type { ContainerTarget } from '../../../src/targets/target.ts';
import type { TargetDirectory } from '../../../src/targets/target-directory.ts';
import { container, listedEngine } from '../../support/people.ts';
import { openTargetDirectory } from '../../support/target-directory.ts';

/** A container of a registered engine, as the joined engine lists it. */
const on = (engine: string, name: string, facts: Partial<ContainerTarget> = {}) =>
  container(`${engine}/${name}`, { engine, ...facts });

let store: Store;
let containers: ContainerTarget[];
let silent: SilentEngine[];
let directory: TargetDirectory;
let admin: Principal;

beforeEach(async () => {
  containers = [];
  silent = [];
  const open = openTargetDirectory({
    ...listedEngine(containers).engine,
    survey: async () => ({ containers, silent, isHasty: false }),
  });
  ({ store, directory } = open);
  admin = await open.principal('ada', 'admin');
});

const resolved = (name: string) =>
  directory.resolve(admin, name).then(
    (target) => target.key,
    (error: GatewayError) => error.message,
  );
const putHost = (slug: string) =>
  store.transact((transaction) =>
    transaction.put('hosts', {
      ...{ id: slug, name: slug, slug, hostname: 'h.example.com', port: 22, username: 'root' },
      ...{ ports: [], shared: true, createdBy: 'operator', createdAt: '2026-01-01T00:00:00.000Z' },
    }),
  );
const loginNames = async () => {
  const { containers: listed } = await directory.look(admin);
  return Object.fromEntries(listed.map((target) => [target.name, directory.sshName(target)]));
};

describe('names among engines', () => {
  it('one that a single engine has is enough, in any case', async () => {
    containers.push(container('web'), on('prod', 'db'));
    for (const name of ['db', 'DB', 'rexec-db', 'db.prod', 'prod/db', 'rexec-PROD/DB', 'DB.Prod']) {
      expect([name, await resolved(name)]).toEqual([name, 'container:prod/db']);
    }
    for (const name of ['web', 'web.default', 'default/web'])
      expect(await resolved(name)).toBe('container:web');
    expect(await loginNames()).toEqual({ web: 'rexec-web', 'prod/db': 'rexec-db' });
  });

  it('one that two have is neither, and the sentence says both full names', async () => {
    containers.push(container('web'), on('prod', 'web'));
    expect(await resolved('web')).toBe(
      '"web" names more than one target: default/web, prod/web. Use one of these names.',
    );
    expect(await loginNames()).toEqual({ web: 'rexec-web.default', 'prod/web': 'rexec-web.prod' });
  });

  it('shadow: a container called as another with its engine takes nothing over, and leaves the full names', async () => {
    containers.push(container('web.prod'), on('prod', 'web'), container('web'));
    expect(await resolved('web.prod')).toContain('default/web.prod, prod/web');
    expect(await resolved('prod/web')).toBe('container:prod/web');
    expect(await resolved('default/web.prod')).toBe('container:web.prod');
    expect(await loginNames()).toEqual({
      web: 'rexec-web.default',
      'web.prod': 'rexec-web.prod.default',
      'prod/web': 'rexec-prod/web',
    });
  });

  it("id-collision: an engine that lists another's id stands in nobody's way", async () => {
    const web = container('web');
    containers.push(on('evil', 'other', { id: web.id }), web);
    for (const name of [web.id, web.id.slice(0, 12), `cont_${web.id}`]) {
      expect(await resolved(name)).toBe('container:web');
    }
    expect(await resolved(`evil/${web.id}`)).toBe('container:evil/other');
  });

  it("label: an engine's label is neither another's full name nor its container's", async () => {
    const labels = { 'rexec.name': 'prod/web' };
    containers.push(on('evil', 'a', { labels }), on('evil', 'b', { labels: { 'rexec.name': 'web' } }));
    containers.push(on('prod', 'web'));
    expect(await resolved('prod/web')).toBe('container:prod/web');
    expect(await resolved('web')).toBe('container:prod/web');
    containers.pop();
    expect(await resolved('prod/web')).toContain('no target "prod/web"');
  });

  it("host: a registered host keeps its name, whatever a registered engine lists; the own engine's goes before it", async () => {
    await putHost('db');
    containers.push(on('prod', 'db'));
    expect(await resolved('db')).toBe('host:db');
    expect(await loginNames()).toEqual({ 'prod/db': 'rexec-db.prod' });
    containers.push(container('db'));
    expect(await resolved('db')).toContain('default/db');
  });

  it('of an engine that is away nothing is opened, and what it had still makes a name ambiguous', async () => {
    const fault = new GatewayError('engine-unavailable', { reason: 'no answer in time', engine: 'prod' });
    silent.push({ engine: 'prod', fault, remembered: [on('prod', 'web')], isAway: true });
    expect(await resolved('web')).toBe(fault.message);
    containers.push(container('web'));
    expect(await resolved('web')).toContain('default/web, prod/web');
    expect(await resolved('prod/web')).toBe(fault.message);
    expect(await resolved('prod/new')).toBe(fault.message);
    expect(await resolved('nothing')).toContain(
      'Of engines that do not answer ("prod") nothing is known now.',
    );
  });
});

describe('what was given to a name', () => {
  it('token: "ssh web" is the own engine\'s, "ssh prod/web" the other\'s', () => {
    const covers = (command: string, target: ContainerTarget) => {
      const token = { cmds: [command] } as unknown as Parameters<typeof checkTokenCovers>[0];
      try {
        checkTokenCovers(token, target, 'rexec-');
        return true;
      } catch {
        return false;
      }
    };
    const [own, other] = [container('web'), on('prod', 'web')];
    expect(['ssh web', 'ssh rexec-web', 'ssh prod/web', 'ssh'].map((each) => covers(each, own))).toEqual([
      ...[true, true, false, true],
    ]);
    expect(
      ['ssh web', 'ssh rexec-web', 'ssh web.prod', 'ssh prod/web', 'ssh'].map((each) => covers(each, other)),
    ).toEqual([...[false, false, false, true, true]]);
  });

  it("permitopen: a bare name does not come to mean another engine's container", () => {
    const refused = (name: string, target: ContainerTarget) => {
      try {
        checkEngineIsNamed({ permitOpen: ['web:*'] }, name, target);
        return false;
      } catch {
        return true;
      }
    };
    expect(refused('web', container('web'))).toBe(false);
    expect(
      ['web', 'prod/web', 'web.prod', 'WEB.PROD'].map((name) => refused(name, on('prod', 'web'))),
    ).toEqual([...[true, false, false, false]]);
  });
});
