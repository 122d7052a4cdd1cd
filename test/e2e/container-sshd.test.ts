/** An SSH server put into a Debian container by its own package manager, and real logins to it with keys from here. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAlone } from '../support/alone.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { freePort } from '../support/free-port.ts';
import { type RexecApi, startRexec } from '../support/rexec-api.ts';
import {
  collect,
  type KeyPair,
  makeKeyPair,
  type Outcome,
  runProgram,
  spawnSsh,
  writeKnownHosts,
} from '../support/ssh-client.ts';

runAlone('auto-sync');

const installWithinMs = 240_000;

describe('an SSH server in a Debian container', () => {
  let rexec: RexecApi;
  let container: TestContainer;
  let port: number;
  let knownHosts: string;
  let installed: Outcome;
  let second: readonly [number, unknown];

  beforeAll(async () => {
    rexec = await startRexec({ config: { sync: 'labelled' } });
    // The host's network: the container reaches Debian's packages as this machine does.
    const options = ['--network', 'host', '--user', 'app', '--label', 'rexec.sync=true'];
    container = await runContainer(images.debian, options);
    port = await freePort();
    await container.sh(
      `mkdir -p /etc/ssh/sshd_config.d; printf 'Port ${port}\\nListenAddress 127.0.0.1\\n' >/etc/ssh/sshd_config.d/port.conf`,
    );
    expect(await rexec.told('GET', `/status/${container.name}`)).toEqual([200, status(false, false, 22)]);
    const ssh = spawnSsh(rexec, `sshd install ${container.name}`, { key: rexec.admin });
    const installing = collect(ssh, { timeoutMs: installWithinMs });
    // The package manager's first words: it is at work.
    await Promise.race([ssh.stderr && once(ssh.stderr, 'data'), installing]);
    second = await rexec.told('POST', `/install/${container.name}`);
    installed = await installing;
    const hostKeys = await container.sh('cat /etc/ssh/ssh_host_*_key.pub');
    knownHosts = await writeKnownHosts(port, hostKeys.split('\n'));
  }, installWithinMs);
  afterAll(async () => {
    await rexec.stop();
    await container.remove();
  });

  const status = (isInstalled: boolean, running: boolean, at: number) => ({
    installed: isInstalled,
    running,
    port: at,
    container_id: container.id,
    container_status: 'running',
  });
  const login = (key: KeyPair, args: readonly string[] = [], command: readonly string[] = ['id -un']) =>
    runProgram('ssh', [
      ...['-F', '/dev/null', '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'StrictHostKeyChecking=yes'],
      ...['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-i', key.file, ...args],
      ...['-p', String(port), 'app@127.0.0.1', ...command],
    ]);
  const loginBecomes = (key: KeyPair, wanted: number) =>
    expect.poll(async () => (await login(key)).status, { timeout: 30_000, interval: 300 }).toBe(wanted);

  it('the package manager is watched while it works, and the answer says how many keys were synced', () => {
    expect(installed.stderr).toContain('Setting up openssh-server');
    expect(installed.text).toBe(`${container.name}: 1 key in the authorized_keys of app.\n`);
    expect(installed.status).toBe(0);
  });

  it('a second install at the same time gets 409', () => {
    const error = `an SSH server is being installed in ${container.name} already; wait for its end.`;
    expect(second).toEqual([409, { error }]);
  });

  it('the status says its port, from its own configuration', async () => {
    expect(await rexec.told('GET', `/status/${container.name}`)).toEqual([200, status(true, true, port)]);
    const told = await rexec.ssh(`sshd status ${container.name}`);
    expect(told.text).toBe(`${container.name} has an SSH server, which runs; its port is ${port}.\n`);
  });

  it('a synced key logs in, and no password would', async () => {
    expect((await login(rexec.admin)).text).toBe('app\n');
    const refused = await login(await makeKeyPair());
    expect(refused.status).toBe(255);
    expect(refused.stderr).toContain('Permission denied (publickey).');
  });

  it('a key of somebody with a grant gets in by itself, and is refused after its removal', async () => {
    const gus = await rexec.addMember('gus');
    expect((await login(gus)).status).toBe(255);
    await rexec.ssh(`share add ${container.name} gus`);
    await loginBecomes(gus, 0);
    const spare = await makeKeyPair();
    await rexec.ssh('ssh-key add --name=spare', { key: gus, stdin: spare.publicKey });
    await loginBecomes(spare, 0);
    const { status: removed } = await rexec.ssh('ssh-key remove spare', { key: gus });
    expect(removed).toBe(0);
    await loginBecomes(spare, 255);
    expect((await login(gus)).status).toBe(0);
    await rexec.ssh(`share remove ${container.name} gus`);
    await loginBecomes(gus, 255);
  });

  it('what narrows a key narrows it there too', async () => {
    const key = await makeKeyPair();
    const line = `restrict,command="echo forced" ${key.publicKey}`;
    await rexec.ssh('ssh-key add --name=forced', { stdin: line });
    await loginBecomes(key, 0);
    expect((await login(key)).text).toBe('forced\n');
    const forward = await login(key, ['-W', `127.0.0.1:${port}`], []);
    expect(forward.stderr).toContain('administratively prohibited');
    expect(forward.status).toBe(255);
  });

  it('a key expires there when it does here', async () => {
    const key = await makeKeyPair();
    // Time enough to be added, to be synced and to log in.
    const soon = new Date(Date.now() + 20_000).toISOString();
    await rexec.ssh(`ssh-key add --name=short --exp=${soon}`, { stdin: key.publicKey });
    await loginBecomes(key, 0);
    await loginBecomes(key, 255);
    await expect
      .poll(() => container.sh('cat /home/app/.ssh/authorized_keys'), { timeout: 20_000 })
      .not.toContain(key.publicKey.split(' ')[1]);
  });

  it('a container that was stopped is brought up to date when it starts', async () => {
    const key = await makeKeyPair();
    await rexec.ssh('ssh-key add --name=late', { stdin: key.publicKey });
    await loginBecomes(key, 0);
    await docker('stop', '-t', '0', container.id);
    // The gateway hears of it by the engine's events.
    await expect
      .poll(() => rexec.told('GET', `/status/${container.name}`))
      .toEqual([200, { ...status(false, false, 22), container_status: 'exited' }]);
    expect(await rexec.told('POST', `/sync/${container.name}`)).toEqual([
      400,
      { error: 'container is not running', status: 'exited' },
    ]);
    await rexec.ssh('ssh-key remove late');
    await docker('start', container.id);
    await expect
      .poll(() => container.sh('cat /home/app/.ssh/authorized_keys'), { timeout: 20_000 })
      .not.toContain(key.publicKey.split(' ')[1]);
    expect(await rexec.told('GET', `/status/${container.name}`)).toEqual([200, status(true, false, port)]);
    // Installed already: it is only started.
    expect((await rexec.told('POST', `/install/${container.name}`))[1]).toEqual({
      message: 'SSH server installed and configured',
      container_id: container.id,
    });
    await loginBecomes(rexec.admin, 0);
    await loginBecomes(key, 255);
  });

  it('who has a second factor is left out, and the answer says so', async () => {
    await rexec.addMember('mia', 'admin');
    await rexec.ssh('account mfa mia required');
    const [code, answer] = await rexec.told('POST', `/sync/${container.name}`);
    expect(code).toBe(200);
    expect(answer).toMatchObject({
      message: 'SSH keys synced successfully',
      container_id: container.id,
      left_out: [{ account: 'mia', reason: 'second-factor' }],
    });
    const told = await rexec.ssh(`sshd sync ${container.name}`);
    expect(told.text).toContain('Left out: the keys of mia; a second factor is asked of them.');
  });
});
