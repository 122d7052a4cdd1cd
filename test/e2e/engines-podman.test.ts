/** Podman as an engine: what people do in its containers is what they do in Docker's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { images } from '../support/engine.ts';
import { claimEverythingInside } from '../support/everything-inside.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Podman, startPodman } from '../support/podman.ts';

let podman: Podman;
let door: TestGateway;
const name = 'in-a-pod';

beforeAll(async () => {
  [podman, door] = await Promise.all([startPodman([images.busybox]), startTestGateway()]);
  const what = [images.busybox, 'sleep', '100000'];
  await podman.podman('run', '-d', '--network=none', '--name', name, ...what);
  await podman.podman('run', '-d', '--network=host', '--name', 'on-the-host', ...what);
}, 120_000);

afterAll(async () => {
  await door?.stop();
  await podman?.stop();
});

it('is added by its socket, and listed', async () => {
  expect(await door.ssh(`engine add pods ${podman.host}`)).toMatchObject({ status: 0, stderr: '' });
  await expect.poll(async () => (await door.ssh('ls')).text).toContain(`pods/${name}`);
});

describe('in a container of Podman', () => {
  claimEverythingInside(
    () => door,
    () => `rexec-${name}.pods`,
  );
});

it("host-network: into a container on the host's network members do not forward, though Podman's list does not say it", async () => {
  const mia = await door.addMember('mia');
  for (const target of [name, 'on-the-host']) {
    expect((await door.ssh(`share add pods/${target} mia`)).status).toBe(0);
  }
  const dial = (target: string) =>
    door.ssh(undefined, {
      login: `rexec-${target}.pods`,
      key: mia,
      args: ['-W', 'localhost:9', '-o', 'LogLevel=INFO'],
    });
  expect((await dial('on-the-host')).stderr).toContain('administratively prohibited');
  expect((await dial(name)).stderr).toContain('connection refused');
});

it('stop and start do so', async () => {
  expect((await door.ssh(`stop pods/${name}`)).text).toBe(`pods/${name} is exited\n`);
  expect((await door.ssh('true', { login: `rexec-${name}.pods` })).stderr).toContain('is exited');
  expect((await door.ssh(`start pods/${name}`)).text).toBe(`pods/${name} is running\n`);
  expect((await door.ssh('true', { login: `rexec-${name}.pods` })).status).toBe(0);
});
