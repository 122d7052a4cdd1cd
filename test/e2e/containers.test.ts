/** Into containers by login name: the real ssh, the whole gateway, the real engine. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countProcesses, until } from '../support/container-processes.ts';
import { removeContainer, startContainer, type TestContainer } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { makeKeyPair, spawnSsh, sshArguments } from '../support/ssh-client.ts';

const run = promisify(execFile);
const suffix = randomBytes(3).toString('hex');
const web = `web-${suffix}`;

let door: TestGateway;
let container: TestContainer;
beforeAll(async () => {
  [door, container] = await Promise.all([
    startTestGateway({ config: { hangupGraceMs: 500 } }),
    startContainer({ name: web }),
  ]);
});
afterAll(async () => {
  await removeContainer(container);
  await door.stop();
});

const inWeb = (command: string | undefined, options: Parameters<TestGateway['ssh']>[1] = {}) =>
  door.ssh(command, { login: `rexec-${web}`, ...options });

describe('by login name', () => {
  it('runs the command as the default user, and says how it ended', async () => {
    const outcome = await inWeb('id -un; echo err >&2; exit 7');
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['root\n', 'err\n', 7]);
  });

  it('stdin-eof: half-close passes', async () => {
    expect((await inWeb('cat', { stdin: 'hi\n' })).text).toBe('hi\n');
  });

  it('USER+TARGET and USER+rexec-TARGET enter as that user, in that home', async () => {
    expect((await door.ssh('id -un; pwd', { login: `app+${web}` })).text).toBe('app\n/home/app\n');
    expect((await door.ssh('id -un', { login: `app+rexec-${web}` })).text).toBe('app\n');
  });

  it('an id prefix and cont_ name the container too', async () => {
    for (const name of [container.id, container.id.slice(0, 12), `cont_${container.id.slice(0, 8)}`]) {
      expect((await door.ssh('hostname', { login: `rexec-${name}` })).text.trim()).toBe(
        container.id.slice(0, 12),
      );
    }
  });

  it('unknown-target: one sentence that lists what there is, exit 255, and never the lobby', async () => {
    const outcome = await door.ssh('whoami', { login: 'rexec-nosuch' });
    expect(outcome.status).toBe(255);
    expect(outcome.text).toBe('');
    expect(outcome.stderr).toMatch(/^postern: no target "nosuch" for you here\./);
    expect(outcome.stderr).toContain(web);
  });

  it('a target of somebody else gets the very same sentence', async () => {
    const key = await door.addMember(`guest-${suffix}`);
    const theirs = await door.ssh('true', { key, login: `rexec-${web}` });
    const none = await door.ssh('true', { key, login: 'rexec-nosuch' });
    expect(theirs.status).toBe(255);
    expect(theirs.stderr.replace(web, 'NAME')).toBe(none.stderr.replace('nosuch', 'NAME'));
  });

  it('stopped-container: says so, and what starts it', async () => {
    const stopped = await startContainer({ stopped: true });
    const outcome = await door.ssh('true', { login: `rexec-${stopped.name}` });
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain(`container ${stopped.name} is created`);
    expect(outcome.stderr).toContain(`start ${stopped.name}`);
    expect((await door.ssh(`start ${stopped.name}`)).status).toBe(0);
    expect((await door.ssh('echo up', { login: `rexec-${stopped.name}` })).text).toBe('up\n');
    await removeContainer(stopped);
  });

  it('an unknown user: one sentence, exit 255', async () => {
    const outcome = await door.ssh('true', { login: `nobody-here+${web}` });
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain('there is no user "nobody-here"');
  });

  it('the client’s env passes acceptEnv, and only that', async () => {
    const args = ['-o', 'SetEnv=LC_ALL=C.UTF-8 SECRET=x'];
    expect((await inWeb('echo "$LC_ALL-$SECRET"', { args })).text).toBe('C.UTF-8-\n');
  });

  it('100 MB of output are delivered before the status', async () => {
    const outcome = await inWeb('dd if=/dev/zero bs=1M count=100 2>/dev/null; exit 9', { timeoutMs: 60_000 });
    expect(outcome.stdout.length).toBe(100 * 1024 * 1024);
    expect(outcome.status).toBe(9);
  });

  it('yes-head: the program in the container ends when the client has enough', async () => {
    const marker = `yes-${suffix}`;
    const { stdout } = await run('sh', [
      '-c',
      `ssh ${sshArguments(door, { key: door.admin })
        .map((word) => `'${word}'`)
        .join(' ')} -p ${door.port} rexec-${web}@127.0.0.1 'yes ${marker}' | head -n 2`,
    ]);
    expect(stdout).toBe(`${marker}\n${marker}\n`);
    expect(await until(async () => (await countProcesses(container.id, marker)) === 0, 20_000)).toBe(true);
  });

  it('client-killed-no-orphan: what it started is ended, what was detached on purpose lives on', async () => {
    const child = spawnSsh(door, '(trap "" HUP; echo apart; exec sleep 54321) & sleep 12345 & sleep 12345', {
      key: door.admin,
      login: `rexec-${web}`,
    });
    let said = '';
    child.stdout?.on('data', (chunk) => (said += chunk));
    await expect.poll(() => said).toBe('apart\n');
    expect(await until(async () => (await countProcesses(container.id, 'sleep 12345')) >= 2, 20_000)).toBe(
      true,
    );
    child.kill('SIGKILL');
    expect(await until(async () => (await countProcesses(container.id, 'sleep 12345')) === 0, 20_000)).toBe(
      true,
    );
    expect(await countProcesses(container.id, 'sleep 54321')).toBe(1);
    await inWeb('killall sleep; true');
  });

  it('a container that dies ends the session with a sentence', async () => {
    const victim = await startContainer();
    const outcome = door.ssh('sleep 100', { login: `rexec-${victim.name}` });
    expect(await until(async () => (await countProcesses(victim.id, 'sleep 100')) > 1, 20_000)).toBe(true);
    await removeContainer(victim);
    const { status, stderr } = await outcome;
    expect(status).toBe(255);
    expect(stderr).toMatch(/^postern: container .+ (stopped|no longer exists)/);
  });
});

describe('when rights change', () => {
  it('a grant withdrawn ends the sessions that stood on it, with a sentence', async () => {
    const name = `shared-${suffix}`;
    const key = await door.addMember(name);
    expect((await door.ssh(`share add ${web} ${name}`)).status).toBe(0);
    const session = door.ssh('echo in; sleep 100', { key, login: `rexec-${web}` });
    expect(await until(async () => (await countProcesses(container.id, 'sleep 100')) > 1, 20_000)).toBe(true);
    expect((await door.ssh(`share remove ${web} ${name}`)).status).toBe(0);
    const outcome = await session;
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain(`you may no longer use ${web}`);
    expect((await door.ssh('true', { key, login: `rexec-${web}` })).status).toBe(255);
  });

  it('a grant withdrawn ends a session that was begun in the lobby, too', async () => {
    const name = `lobbied-${suffix}`;
    const key = await door.addMember(name);
    expect((await door.ssh(`share add ${web} ${name}`)).status).toBe(0);
    const session = door.ssh(`ssh ${web} sleep 432`, { key });
    expect(await until(async () => (await countProcesses(container.id, 'sleep 432')) > 0, 20_000)).toBe(true);
    expect((await door.ssh(`share remove ${web} ${name}`)).status).toBe(0);
    const outcome = await session;
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain(`you may no longer use ${web}`);
  });

  it('a key removed closes the connections made with it', async () => {
    const name = `leaver-${suffix}`;
    const key = await door.addMember(name);
    const child = spawnSsh(door, undefined, { key, args: ['-tt'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    expect((await door.ssh(`account disable ${name}`)).status).toBe(0);
    expect(await ended).toBe(255);
    expect((await door.ssh('whoami', { key })).status).toBe(255);
  });

  it('the command that removes the key it runs with still has its answer', async () => {
    const name = `quits-${suffix}`;
    const key = await door.addMember(name);
    const outcome = await door.ssh(`ssh-key remove ${key.fingerprint} --yes`, { key });
    expect([outcome.stderr, outcome.status]).toEqual(['', 0]);
    expect((await door.ssh('whoami', { key })).status).toBe(255);
  });

  it('a key with command= runs that and nothing else, in the lobby and in a container', async () => {
    const key = await makeKeyPair();
    await door.ssh('ssh-key add', { stdin: `command="ssh ${web} hostname" ${key.publicKey}\n` });
    expect((await door.ssh('whoami', { key })).text.trim()).toBe(container.id.slice(0, 12));
    const inside = await door.ssh('id', { key, login: `rexec-${web}` });
    expect(inside.text).not.toContain('uid=');
  });
});
