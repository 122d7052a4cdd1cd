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
import { makeKeyPair, type SshOptions, spawnSsh } from '../support/ssh-client.ts';
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
const noneLeft = () => until(async () => (await left()) === '', 5_000);

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
    expect([outcome.stderr, outcome.text, outcome.status]).toEqual(['', 'first\n', 0]);
  });
});
