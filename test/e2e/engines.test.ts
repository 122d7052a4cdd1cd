/** Several engines as people and attackers meet them: each of these is the machine's own, behind a socket of the test's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createEngineProxy } from '../support/engine-proxy.ts';
import { startTestGateway, type TestGateway, temporaryFile } from '../support/gateway.ts';
import { type KeyPair, runProgram } from '../support/ssh-client.ts';

let folder: string;
let gateway: TestGateway;
let web: TestContainer;
let member: KeyPair;
const proxies = new Map<string, ReturnType<typeof createEngineProxy>>();

const listen = async (name: string) => {
  const proxy = createEngineProxy();
  await proxy.listen(join(folder, `${name}.sock`));
  proxies.set(name, proxy);
  return `unix://${join(folder, `${name}.sock`)}`;
};
const add = async (name: string) => {
  const added = await gateway.ssh(`engine add ${name} ${await listen(name)}`);
  expect(added).toMatchObject({ status: 0, text: `Added "${name}".\n` });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-engines-'));
  gateway = await startTestGateway();
  web = await runContainer(images.busybox);
  member = await gateway.addMember('mia');
  await add('prod');
  await add('lab');
});

afterAll(async () => {
  await gateway?.stop();
  await web?.remove();
  for (const proxy of proxies.values()) await proxy.vanish();
  await rm(folder, { recursive: true, force: true });
});

const as = (login: string, command: string, key?: KeyPair) =>
  gateway.ssh(command, { login, ...(key ? { key } : {}) });

describe('one name space', () => {
  it('a name that several engines have leads nowhere, and the sentence says the full names', async () => {
    const refused = await as(`rexec-${web.name}`, 'true');
    const names = ['default', 'lab', 'prod'].map((engine) => `${engine}/${web.name}`);
    expect(refused.status).toBe(255);
    expect(refused.stderr).toContain(`"${web.name}" names more than one target: `);
    for (const name of names) expect(refused.stderr).toContain(name);
    expect(refused.stderr).toContain('Use one of these names.');
  });

  it.each(['rexec-NAME.prod', 'rexec-prod/NAME', 'rexec-NAME.default', 'app+NAME.lab', 'rexec-lab/ID'])(
    '%s is one of them',
    async (form) => {
      const login = form.replace('NAME', web.name).replace('ID', web.id);
      expect(await as(login, 'hostname')).toMatchObject({ status: 0, text: `${web.id.slice(0, 12)}\n` });
    },
  );

  it('ls says by which name each is reached, and that name reaches it', async () => {
    const { containers } = JSON.parse((await gateway.ssh('ls --json')).text) as {
      containers: { name: string; engine?: string; ssh_command: string }[];
    };
    const mine = containers.filter(({ name }) => name.endsWith(web.name));
    expect(mine.map(({ name, engine }) => [name, engine])).toEqual(
      [[`lab/${web.name}`, 'lab'], [web.name, undefined], [`prod/${web.name}`, 'prod'].slice(0, 2)].toSorted(
        (a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1),
      ),
    );
    for (const { ssh_command } of mine) {
      const login = /(\S+)@/.exec(ssh_command)?.[1] as string;
      expect((await as(login, 'hostname')).text).toBe(`${web.id.slice(0, 12)}\n`);
    }
  });

  it('scp and the jump take the name with a point', async () => {
    const file = await temporaryFile('note', 'by scp\n');
    const args = [
      '-P',
      String(gateway.port),
      '-i',
      gateway.admin.file,
      '-o',
      `UserKnownHostsFile=${gateway.knownHosts}`,
    ];
    const copied = await runProgram('scp', [...args, file, `rexec-${web.name}.prod@127.0.0.1:/tmp/note`]);
    expect(copied.status).toBe(0);
    expect(await web.sh('cat /tmp/note')).toBe('by scp');
  });
});

describe('an engine that is added takes nothing over', () => {
  it("a grant on NAME is for the container of the gateway's own engine, and for none other", async () => {
    expect((await gateway.ssh(`share add default/${web.name} mia`)).status).toBe(0);
    expect((await as(`rexec-${web.name}`, 'hostname', member)).status).toBe(0);
    for (const login of [`rexec-${web.name}.prod`, `rexec-prod/${web.name}`, `rexec-lab/${web.id}`]) {
      const refused = await as(login, 'true', member);
      expect(refused.status).toBe(255);
      expect(refused.stderr).toContain('no target');
    }
    const { containers } = JSON.parse((await gateway.ssh('ls --json', { key: member })).text);
    expect(containers.map(({ name }: { name: string }) => name)).toEqual([web.name]);
  });

  it('nor does it when the own engine has no container of that name any more', async () => {
    const gone = await runContainer(images.busybox);
    expect((await gateway.ssh(`share add default/${gone.name} mia`)).status).toBe(0);
    await gone.remove();
    expect((await as(`rexec-${gone.name}`, 'true', member)).stderr).toContain('no target');
  });

  it('a grant on ENGINE/NAME is gone with the engine, and not there for the next of its name', async () => {
    await add('brief');
    expect((await gateway.ssh(`share add brief/${web.name} mia`)).status).toBe(0);
    expect((await as(`rexec-${web.name}.brief`, 'hostname', member)).status).toBe(0);
    expect(await gateway.ssh('engine remove brief')).toMatchObject({ status: 0 });
    const again = await gateway.ssh(`engine add brief unix://${join(folder, 'brief.sock')}`);
    expect(again.status).toBe(0);
    expect((await as(`rexec-${web.name}.brief`, 'true', member)).stderr).toContain('no target');
    expect((await gateway.ssh('engine remove brief')).status).toBe(0);
  });
});

describe('who may', () => {
  it.each([
    'list',
    'add x tcp://169.254.169.254:80',
    'add x tcp://127.0.0.1:2375',
    'add x unix:///etc/passwd',
    'drain prod',
    'remove prod',
  ])('a member may not: engine %s', async (line) => {
    const refused = await gateway.ssh(`engine ${line}`, { key: member });
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('admins');
  });
});

describe('draining and removing', () => {
  it('no new session comes in, the one that runs goes on, and remove waits for it unless forced', async () => {
    await add('old');
    const running = gateway.ssh('echo began; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo over', {
      login: `rexec-${web.name}.old`,
    });
    await expect.poll(async () => (await gateway.ssh('session list')).text).toContain(`old/${web.name}`);
    expect((await gateway.ssh('engine drain old')).text).toBe(
      '"old" takes no new sessions; 1 session still open.\n',
    );
    const refused = await as(`rexec-${web.name}.old`, 'true');
    expect(refused).toMatchObject({ status: 255 });
    expect(refused.stderr).toContain('the engine "old" takes no new sessions for now');
    expect((await gateway.ssh('engine remove old')).stderr).toContain('1 session open on the engine "old"');
    await web.sh('touch /tmp/go');
    expect(await running).toMatchObject({ status: 0, text: 'began\nover\n' });
    expect((await gateway.ssh('engine remove old')).text).toBe('Removed "old".\n');
  });

  it('with --force what runs there ends', async () => {
    await add('old2');
    const running = gateway.ssh('sleep 100', { login: `rexec-${web.name}.old2` });
    await expect.poll(async () => (await gateway.ssh('session list')).text).toContain(`old2/${web.name}`);
    expect((await gateway.ssh('engine remove old2 --force')).status).toBe(0);
    expect((await running).status).toBe(255);
  });
});

describe('an engine that goes away', () => {
  it('ls names it and shows the others, sessions there are refused with a sentence, and it comes back', async () => {
    await add('frail');
    await gateway.ssh('ls');
    await proxies.get('frail')?.vanish();
    const listed = await gateway.ssh('ls');
    expect(listed.status).toBe(0);
    expect(listed.stderr).toContain('the engine "frail" cannot be reached');
    expect(listed.text).toContain(`prod/${web.name}`);
    expect(listed.text).not.toContain(`frail/${web.name}`);
    const refused = await as(`rexec-${web.name}.frail`, 'true');
    expect(refused.stderr).toContain('the engine "frail" cannot be reached');
    await proxies.get('frail')?.listen(join(folder, 'frail.sock'));
    await expect
      .poll(async () => (await as(`rexec-${web.name}.frail`, 'true')).status, {
        timeout: 20_000,
        interval: 500,
      })
      .toBe(0);
    const engines = (await gateway.ssh('engine list')).text;
    expect(engines).toMatch(/frail +up/);
  });

  it('the log says once that it does not answer, and once that it does', async () => {
    const told = gateway
      .logged()
      .filter(({ engine, msg }) => engine === 'frail' && /answer/.test(String(msg)));
    const said = told.map(({ msg }) => msg);
    // One that answers late, as on a busy machine, is told of as well: it is silent, and then not.
    expect(said.length).toBeGreaterThanOrEqual(3);
    expect(said.at(-1)).toBe('the engine answers');
    expect(new Set(said)).toEqual(new Set(['the engine answers', 'the engine does not answer']));
    expect(said.filter((each, index) => each === said[index - 1])).toEqual([]);
  });
});
