/** How long a sidecar lives: as long as somebody forwards through it, and never longer than its gateway. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEngine } from '../support/container-engine.ts';
import { until } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { sidecarsOf, startSocketContainer } from '../support/forward.ts';
import { serve, targetIn } from '../support/served.ts';
import { authorizationFor } from '../support/session-io.ts';
import { makeKeyPair, ssh } from '../support/ssh-client.ts';

let container: TestContainer;
beforeAll(async () => {
  container = await startSocketContainer();
});
afterAll(() => container.remove());

const none = () => until(async () => (await sidecarsOf(container)).length === 0, 30_000);
const echo = { host: 'localhost', port: 81 };

describe('a sidecar', () => {
  it('ends when nobody has needed it for a while, not before, and comes back', async () => {
    const engine = createTestEngine({ sidecarIdleMs: 500 });
    const authorization = await authorizationFor(engine, container.id);
    const stream = await engine.dial(authorization, echo);
    await pause(1_000);
    expect(await sidecarsOf(container)).toHaveLength(1);
    stream.destroy();
    expect(await none()).toBe(true);
    (await engine.dial(authorization, echo)).destroy();
    await engine.close();
    expect(await none()).toBe(true);
  });

  it('is one, however many ask at once', async () => {
    const engine = createTestEngine();
    const authorization = await authorizationFor(engine, container.id);
    const streams = await Promise.all(Array.from({ length: 50 }, () => engine.dial(authorization, echo)));
    expect(await sidecarsOf(container)).toHaveLength(1);
    for (const stream of streams) stream.destroy();
    await engine.close();
    expect(await none()).toBe(true);
  });

  it('gateway-killed: it does not outlive a gateway that had no time to say goodbye', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-killed-'));
    const admin = await makeKeyPair();
    const served = await serve(folder, [`--admin-key=${admin.file}.pub`]);
    const outcome = await ssh(await targetIn(folder, served.port), undefined, {
      key: admin,
      login: `rexec-${container.name}`,
      args: ['-W', 'localhost:82'],
    });
    expect(outcome.text).toBe('220 ready\n');
    expect(await sidecarsOf(container)).toHaveLength(1);
    served.child.kill('SIGKILL');
    expect(await none()).toBe(true);
    await rm(folder, { recursive: true, force: true });
  });

  it("where the container has the host's processes it sees none of them, and follows a restart all the same", async () => {
    const engine = createTestEngine();
    const odd = await runContainer(images.busybox, ['--pid', 'host']);
    const authorization = await authorizationFor(engine, odd.id);
    const dial = () => engine.dial(authorization, { host: 'localhost', port: 9 });
    await expect(dial()).rejects.toThrow('connection refused');
    const [first] = await sidecarsOf(odd);
    expect(await docker('inspect', '-f', '{{.HostConfig.PidMode}}', first as string)).toBe('');
    await docker('restart', '-t', '0', odd.id);
    await expect(dial()).rejects.toThrow('connection refused');
    expect(await until(async () => !(await sidecarsOf(odd)).includes(first as string), 30_000)).toBe(true);
    await engine.close();
    await odd.remove();
  });

  it('a stopped container has none, and the sentence says so', async () => {
    const engine = createTestEngine();
    const stopped = await runContainer(images.busybox);
    const authorization = await authorizationFor(engine, stopped.id);
    await docker('stop', '-t', '0', stopped.id);
    await expect(engine.dial(authorization, echo)).rejects.toThrow('is exited');
    expect(await sidecarsOf(stopped)).toEqual([]);
    await engine.close();
    await stopped.remove();
  });

  it('listens everywhere also where the kernel knows no IPv6', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-no-ipv6-'));
    // socket(AF_INET6) fails with EAFNOSUPPORT, as with ipv6.disable=1.
    const args = [{ index: 0, value: 10, op: 'SCMP_CMP_EQ' }];
    const rule = { names: ['socket'], action: 'SCMP_ACT_ERRNO', errnoRet: 97, args };
    const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] };
    await writeFile(join(folder, 'profile.json'), JSON.stringify(profile));
    const root = new URL('../..', import.meta.url).pathname;
    const mounts = [
      `${process.execPath}:/usr/local/bin/node:ro`,
      `${root}src:/repo/src:ro`,
      `${root}test/support:/repo/test/support:ro`,
    ];
    const told = await docker(
      ...['run', '--rm', '--security-opt', `seccomp=${folder}/profile.json`],
      ...mounts.flatMap((mount) => ['-v', mount]),
      ...[images.debian, 'node', '/repo/test/support/listen-everywhere.ts'],
    );
    expect(told).toMatch(/^1 127\.0\.0\.1 \d+$/);
    await rm(folder, { recursive: true, force: true });
  });

  it('is not made for who may not forward', async () => {
    const engine = createTestEngine();
    const authorization = await authorizationFor(engine, container.id, undefined, { forwarding: false });
    await expect(engine.dial(authorization, echo)).rejects.toThrow('you may not forward');
    await expect(engine.listen(authorization, echo, () => {})).rejects.toThrow('you may not forward');
    expect(await sidecarsOf(container)).toEqual([]);
    await engine.close();
  });
});
