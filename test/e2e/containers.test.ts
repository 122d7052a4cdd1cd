/** `ssh rexec-web`, as a person types it: the real ssh, the whole gateway, the real engine. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine, removeContainer, startContainer, type TestContainer } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type KeyPair, type RunOptions, runProgram, spawnSsh, sshArguments } from '../support/ssh-client.ts';

const run = promisify(execFile);
const suffix = randomBytes(3).toString('hex');
const web = `web-${suffix}`;
const deb = `deb-${suffix}`;

let door: TestGateway;
let container: TestContainer;
let debian: TestContainer;
beforeAll(async () => {
  [door, container, debian] = await Promise.all([
    startTestGateway({ config: { hangupGraceMs: 500 } }),
    startContainer({ name: web }),
    startContainer({ name: deb, image: 'debian' }),
  ]);
});
afterAll(async () => {
  await Promise.all([removeContainer(container), removeContainer(debian)]);
  await door.stop();
});

const inWeb = (command: string | undefined, options: Parameters<TestGateway['ssh']>[1] = {}) =>
  door.ssh(command, { login: `rexec-${web}`, ...options });

/** The ssh_config that `ssh-config` prints, with this test's address and known hosts in it. */
async function sshConfigFile(key: KeyPair = door.admin): Promise<string> {
  const printed = await door.ssh(`ssh-config --identity-file=${key.file}`, { key });
  const known = await door.ssh('ssh-config --known-hosts', { key });
  const folder = await mkdtemp(join(tmpdir(), 'postern-config-'));
  await writeFile(join(folder, 'known_hosts'), known.text);
  const file = join(folder, 'config');
  await writeFile(file, printed.text);
  await appendFile(
    file,
    `\nHost *\n  UserKnownHostsFile ${join(folder, 'known_hosts')}\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n`,
  );
  return file;
}

const viaConfig = (file: string, args: readonly string[], options: RunOptions = {}) =>
  runProgram('ssh', ['-F', file, ...args], options);

/** How many processes in the container have `word` in their command line. */
async function countProcesses(id: string, word: string): Promise<number> {
  const top = (await openEngine().getContainer(id).top()) as { Processes: string[][] };
  return top.Processes.filter((columns) => columns.join(' ').includes(word)).length;
}

async function until(holds: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (await holds()) return true;
    await sleep(50);
  }
  return false;
}

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
    expect(await until(async () => (await countProcesses(container.id, marker)) === 0, 5_000)).toBe(true);
  });

  it('client-killed-no-orphan: what it started is ended, what was detached on purpose lives on', async () => {
    const child = spawnSsh(door, '(trap "" HUP; exec sleep 54321) & sleep 12345 & sleep 12345', {
      key: door.admin,
      login: `rexec-${web}`,
    });
    expect(await until(async () => (await countProcesses(container.id, 'sleep 12345')) >= 2, 10_000)).toBe(
      true,
    );
    child.kill('SIGKILL');
    expect(await until(async () => (await countProcesses(container.id, 'sleep 12345')) === 0, 10_000)).toBe(
      true,
    );
    expect(await countProcesses(container.id, 'sleep 54321')).toBe(1);
    await inWeb('killall sleep; true');
  });

  it('a container that dies ends the session with a sentence', async () => {
    const victim = await startContainer();
    const outcome = door.ssh('sleep 100', { login: `rexec-${victim.name}` });
    await until(async () => (await countProcesses(victim.id, 'sleep 100')) > 1, 5_000);
    await removeContainer(victim);
    const { status, stderr } = await outcome;
    expect(status).toBe(255);
    expect(stderr).toMatch(/^postern: container .+ (stopped|no longer exists)/);
  });
});

describe('by ProxyJump', () => {
  it('proxyjump-wildcard: with the printed ssh_config, plain "ssh rexec-web" works', async () => {
    const file = await sshConfigFile();
    const outcome = await viaConfig(file, [`rexec-${web}`, 'id -un; exit 5']);
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['root\n', '', 5]);
  });

  it('root@rexec-web and app@rexec-web pick the user', async () => {
    const file = await sshConfigFile();
    expect((await viaConfig(file, [`root@rexec-${web}`, 'id -un'])).text).toBe('root\n');
    expect((await viaConfig(file, [`app@rexec-${web}`, 'id -un'])).text).toBe('app\n');
  });

  it('20 MB go up and come back the same', async () => {
    const file = await sshConfigFile();
    const sent = randomBytes(20 * 1024 * 1024);
    const outcome = await viaConfig(file, [`rexec-${web}`, 'cat'], { stdin: sent, timeoutMs: 60_000 });
    expect(outcome.stdout.equals(sent)).toBe(true);
  });

  it('ssh -J with several sessions over one connection (ControlMaster)', async () => {
    const file = await sshConfigFile();
    const control = join(await mkdtemp(join(tmpdir(), 'cm-')), 's');
    const master = ['-o', `ControlPath=${control}`, '-o', 'ControlMaster=auto', '-o', 'ControlPersist=5'];
    const outcomes = [];
    for (let n = 0; n < 5; n++)
      outcomes.push(await viaConfig(file, [...master, `rexec-${web}`, `echo ${n}`]));
    expect(outcomes.map((outcome) => outcome.text)).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n']);
    await viaConfig(file, [...master, '-O', 'exit', `rexec-${web}`]);
  });

  it('a jump to anything that is no target is refused: the gateway is no open proxy', async () => {
    const file = await sshConfigFile();
    for (const destination of ['127.0.0.1:22', 'localhost:5432', 'example.com:22', `rexec-${web}:2375`]) {
      const outcome = await viaConfig(file, ['-o', 'LogLevel=INFO', '-W', destination, 'postern'], {
        timeoutMs: 10_000,
      });
      expect(outcome.status).not.toBe(0);
      expect(outcome.stderr).toContain('administratively prohibited');
    }
    expect(
      door
        .logged()
        .some((line) => line['audit'] === 'refused' && String(line['what']).includes('example.com')),
    ).toBe(true);
  });

  it('keys of another account are refused on the inner connection', async () => {
    const member = await door.addMember(`inner-${suffix}`);
    const file = await sshConfigFile();
    const text = await readFile(file, 'utf8');
    const [jump, rest] = text.split(/(?=^Host rexec-)/m) as [string, string];
    await writeFile(file, jump + rest.replaceAll(door.admin.file, member.file));
    const outcome = await viaConfig(file, ['-o', 'BatchMode=yes', `rexec-${web}`, 'true']);
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain('Permission denied');
  });
});

describe('files', () => {
  it('scp, by both protocols, and sftp work where the image has an sftp-server', async () => {
    const file = await sshConfigFile();
    const folder = await mkdtemp(join(tmpdir(), 'scp-'));
    const content = randomBytes(3 * 1024 * 1024);
    await writeFile(join(folder, 'up'), content);
    for (const protocol of [[], ['-O']]) {
      // The old protocol's path goes through the shell there.
      const remote = `rexec-${deb}:${protocol.length > 0 ? '/tmp/a\\ b' : '/tmp/a b'}`;
      const up = await runProgram('scp', ['-F', file, ...protocol, join(folder, 'up'), remote]);
      expect([up.stderr, up.status]).toEqual(['', 0]);
      const down = await runProgram('scp', ['-F', file, ...protocol, remote, join(folder, 'down')]);
      expect([down.stderr, down.status]).toEqual(['', 0]);
      expect((await readFile(join(folder, 'down'))).equals(content)).toBe(true);
    }
    const batch = await runProgram('sftp', ['-F', file, '-b', '-', `rexec-${deb}`], {
      stdin: 'ls /etc/passwd\n',
    });
    expect(batch.text).toContain('/etc/passwd');
  });

  it('an image without one says what is missing', async () => {
    const file = await sshConfigFile();
    const outcome = await runProgram('sftp', ['-F', file, '-b', '-', `rexec-${web}`], { stdin: 'ls\n' });
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toContain('no sftp-server');
  });

  it('the lobby has no files, and says where they are', async () => {
    const outcome = await runProgram('scp', [
      ...sshArguments(door, { key: door.admin }),
      '-P',
      String(door.port),
      '/etc/hostname',
      'x@127.0.0.1:/tmp/',
    ]);
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toContain('the lobby has no files');
  });
});

describe('when rights change', () => {
  it('a grant withdrawn ends the sessions that stood on it, with a sentence', async () => {
    const name = `shared-${suffix}`;
    const key = await door.addMember(name);
    expect((await door.ssh(`share add ${web} ${name}`)).status).toBe(0);
    const session = door.ssh('echo in; sleep 100', { key, login: `rexec-${web}` });
    await until(async () => (await countProcesses(container.id, 'sleep 100')) > 1, 5_000);
    await sleep(300);
    expect((await door.ssh(`share remove ${web} ${name}`)).status).toBe(0);
    const outcome = await session;
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain(`you may no longer use ${web}`);
    expect((await door.ssh('true', { key, login: `rexec-${web}` })).status).toBe(255);
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
});
