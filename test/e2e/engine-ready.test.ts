import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  images,
  openEngine,
  removeContainer,
  startContainer,
  type TestContainer,
} from '../support/engine.ts';
import { runProgram } from '../support/ssh-client.ts';

const made: TestContainer[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((container) => removeContainer(container)));
});

async function start(image: keyof typeof images): Promise<TestContainer> {
  const container = await startContainer({ image });
  made.push(container);
  return container;
}

const inside = (container: TestContainer, user: string, ...command: string[]) =>
  runProgram('docker', ['exec', '--user', user, container.name, ...command]);

describe('the images that the tests use', () => {
  it('stay running with nothing to do', async () => {
    for (const image of Object.keys(images) as (keyof typeof images)[]) await start(image);
    await delay(300);
    for (const { id } of made) {
      const { State } = await openEngine().getContainer(id).inspect();
      expect(State.Status).toBe('running');
    }
  });

  it('busybox has every applet and the user app', async () => {
    const container = await start('busybox');
    expect((await inside(container, 'app', 'sh', '-c', 'id -un; echo ~')).text).toBe('app\n/home/app\n');
  });

  it('debian has bash, sftp-server, ps, and app in the group extra', async () => {
    const container = await start('debian');
    const command = 'id -Gn; ls /usr/lib/openssh/sftp-server; command -v ps bash';
    expect((await inside(container, 'app', 'bash', '-c', command)).text).toBe(
      'app extra\n/usr/lib/openssh/sftp-server\n/usr/bin/ps\n/usr/bin/bash\n',
    );
  });

  it('noshell runs its three programs and has no shell', async () => {
    const container = await start('noshell');
    expect((await inside(container, '0', '/bin/echo', 'hello')).text).toBe('hello\n');
    expect((await inside(container, '0', '/bin/true')).status).toBe(0);
    expect((await inside(container, '0', '/bin/sh', '-c', 'true')).status).toBe(126);
  });
});

it('a container is removed by name, and removing it twice is no error', async () => {
  const { name } = await startContainer({ stopped: true });
  await removeContainer(name);
  await removeContainer(name);
  await expect(openEngine().getContainer(name).inspect()).rejects.toThrow(/No such container/);
});
