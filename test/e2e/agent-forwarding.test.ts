/** `ssh -A`: the person's keys, inside a container, by the real ssh, ssh-agent, ssh-add and git. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealAgent, startRealAgent } from '../support/agent.ts';
import { until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type SshOptions, spawnSsh } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';

/** git of this machine, of whose release the image is: git itself needs nothing more there. */
const git = ['/usr/bin/git', '/usr/lib/git-core', '/usr/share/git-core'].flatMap((path) => [
  '-v',
  `${path}:${path}:ro`,
]);

let door: TestGateway;
let agent: RealAgent;
let container: TestContainer;
let login: string;
beforeAll(async () => {
  [door, container] = await Promise.all([startTestGateway(), runContainer(images.debian, git)]);
  agent = await startRealAgent([door.admin]);
  login = `rexec-${container.name}`;
});
afterAll(async () => {
  await agent.stop();
  await container.remove();
  await door.stop();
});

const withAgent = (command: string, options: SshOptions = {}) =>
  door.ssh(command, { login, env: agent.env, ...options, args: ['-A', ...(options.args ?? [])] });

/** Folders of agents in the container. */
const left = () => container.sh('ls -d /tmp/ssh-* /dev/shm/ssh-* /root/.ssh-* 2>/dev/null || true');
const noneLeft = () => until(async () => (await left()) === '', 20_000);

describe('ssh -A', () => {
  it("ssh-add -l shows the keys of the person, at a socket of sshd's kind that only the user may enter", async () => {
    const outcome = await withAgent(
      'ssh-add -l; echo $SSH_AUTH_SOCK; stat -c "%a %U %F" $(dirname $SSH_AUTH_SOCK) $SSH_AUTH_SOCK',
      { login: `app+${login}` },
    );
    expect(outcome.stderr).toBe('');
    const [listed, path, ...kinds] = outcome.text.trim().split('\n');
    expect(listed).toContain(door.admin.fingerprint);
    expect(path).toMatch(/^\/tmp\/ssh-\w{10}\/agent\.\d+$/);
    expect(kinds).toEqual(['700 app directory', '600 app socket']);
    expect(await noneLeft()).toBe(true);
  });

  it('git clones over ssh in the container, with a key that never was there', async () => {
    await container.sh(
      'cd /usr/bin && ln -s git git-upload-pack && ln -s git git-receive-pack && git init -q --bare /srv/repo.git',
    );
    // To the gateway itself, by the way back, and from there into the very container.
    const spec = `2299:127.0.0.1:${door.port}`;
    const known = door.gateway.hostKeys.map(({ publicKey }) => `[localhost]:2299 ${publicKey}`).join('\n');
    const script = `set -e
cat >/root/known
export GIT_SSH_COMMAND="ssh -o UserKnownHostsFile=/root/known -o StrictHostKeyChecking=yes"
git clone -q ssh://${login}@localhost:2299/srv/repo.git /root/one && cd /root/one
git -c user.name=t -c user.email=t@example.com commit -q --allow-empty -m first
git push -q origin HEAD:refs/heads/main && git clone -q -b main ssh://${login}@localhost:2299/srv/repo.git /root/two
git -C /root/two log --format=%s`;
    const outcome = await withAgent(script, { stdin: `${known}\n`, args: ['-R', spec] });
    expect([outcome.text, outcome.status], outcome.stderr).toEqual(['first\n', 0]);
  });

  it('by ProxyJump, and in images with no more than a few programs', async () => {
    const config = await sshConfigFile(door);
    const jumped = await viaConfig(config, ['-A', login, 'ssh-add -l'], { env: agent.env });
    expect(jumped.text).toContain(door.admin.fingerprint);
    const bare = await runContainer(images.noshell, [], ['/bin/sleep', '100000']);
    const outcome = await withAgent('/bin/cat /proc/self/environ', { login: `rexec-${bare.name}` });
    expect(outcome.stderr).toBe('');
    // There is no /tmp in that image.
    expect(outcome.text).toMatch(/\0SSH_AUTH_SOCK=\/dev\/shm\/ssh-\w{10}\/agent\.\d+\0/);
    await bare.remove();
  });

  it('is at the same path for all sessions of a connection that ask, at once and in turn, and not for the others', async () => {
    const control = join(await mkdtemp(join(tmpdir(), 'cm-')), 's');
    const master = ['-o', `ControlPath=${control}`, '-o', 'ControlMaster=auto', '-o', 'ControlPersist=60'];
    const socket = async () => (await withAgent('echo $SSH_AUTH_SOCK', { args: master })).text;
    const first = await socket();
    expect(first).toMatch(/agent/);
    expect(await noneLeft()).toBe(true);
    expect([await socket(), await socket()]).toEqual([first, first]);
    const both = await Promise.all(
      ['ssh-add -l; sleep 0.5; ssh-add -l', 'sleep 0.2'].map((command) =>
        withAgent(`echo $SSH_AUTH_SOCK; ${command}`, { args: master }),
      ),
    );
    // The first outlives the second.
    expect(both[0]?.text.split(door.admin.fingerprint)).toHaveLength(3);
    for (const { text } of both) expect(text.startsWith(first)).toBe(true);
    const without = await door.ssh('echo "<$SSH_AUTH_SOCK>"', { login, args: master });
    expect(without.text).toBe('<>\n');
    expect(await noneLeft()).toBe(true);
    await door.ssh(undefined, { login, args: [...master, '-O', 'exit'] });
  });

  it('where nothing can be written, a sentence says so and the session goes on', async () => {
    const options = ['--read-only', '--tmpfs', '/dev/shm:ro'];
    const sealed = await runContainer(images.debian, options);
    const outcome = await withAgent('echo "in <$SSH_AUTH_SOCK>"', { login: `rexec-${sealed.name}` });
    expect(outcome.text).toBe('in <>\n');
    expect(outcome.stderr).toMatch(
      /^postern: your agent is not forwarded: .*nothing can be written there\.\n$/,
    );
    expect(outcome.status).toBe(0);
    await sealed.remove();
  });

  it('is in the list of sessions, and in the audit with each that connected to it', async () => {
    const ssh = spawnSsh(door, 'ssh-add -l; cat', { key: door.admin, login, env: agent.env, args: ['-A'] });
    await new Promise((resolve) => ssh.stdout?.once('data', resolve));
    const listed = (await door.ssh('session list')).text;
    expect(listed).toMatch(new RegExp(`${container.name}\\s+agent\\b`));
    ssh.stdin?.end();
    const audited = (what: string) =>
      door.logged().some((line) => line['audit'] === 'session-started' && line['what'] === what);
    expect([audited('agent'), audited('connection to the agent')]).toEqual([true, true]);
    expect(await noneLeft()).toBe(true);
  });
});
