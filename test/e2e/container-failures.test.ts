/** What a person is told when a container is not as they wish. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { countProcesses } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { authorizationFor, runSession, startSession, terminal } from '../support/session-io.ts';

let engine: ContainerEngine;
const containers: TestContainer[] = [];
const open = async (image: string, options: readonly string[] = [], command?: readonly string[]) => {
  const opened = await runContainer(image, options, command);
  containers.push(opened);
  return opened;
};
const handlerFor = async (container: TestContainer, user?: string) =>
  engine.openSession(await authorizationFor(engine, container.id, user));

beforeAll(() => {
  engine = createTestEngine({ splitWords: (line) => line.split(' ').filter(Boolean) });
});
afterEach(async () => {
  await Promise.all(containers.splice(0).map((each) => each.remove()));
});
afterAll(() => engine.close());

describe('the container', () => {
  it('stopped-container: the sentence names its state and the command that starts it', async () => {
    const container = await open(images.busybox);
    const session = await handlerFor(container);
    await engine.stop(container);
    await expect(runSession(session, 'true')).rejects.toMatchObject({
      code: 'container-not-running',
      exitStatus: 255,
      message: expect.stringMatching(`${container.name} is exited.*start ${container.name}`),
    });
  }, 30_000);

  it('paused is not running either, and is not waited for; to start it lets it go on', async () => {
    const container = await open(images.busybox);
    const session = await handlerFor(container);
    await docker('pause', container.id);
    await expect(runSession(session, 'true')).rejects.toMatchObject({ code: 'container-not-running' });
    // As the sentence says.
    await engine.start(container);
    expect((await runSession(session, 'exit 3')).end).toEqual({ exitStatus: 3 });
  });

  it('killed while a session runs: the session ends with a sentence', async () => {
    const container = await open(images.busybox);
    const running = startSession(await handlerFor(container), 'echo ready; sleep 300');
    await running.saw('ready');
    await docker('kill', container.id);
    await expect(running.end).rejects.toMatchObject({ code: 'container-ended', exitStatus: 255 });
  });

  it('restarted while a session runs: likewise, though it runs again', async () => {
    const container = await open(images.busybox, ['--stop-signal', 'KILL']);
    const running = startSession(await handlerFor(container), 'echo ready; sleep 300', { pty: terminal() });
    await running.saw('ready');
    await engine.restart(container);
    await expect(running.end).rejects.toMatchObject({ code: 'container-ended' });
    expect((await runSession(await handlerFor(container), 'exit 4')).end).toEqual({ exitStatus: 4 });
  });

  it('removed while a session runs, and removed before it', async () => {
    const container = await open(images.busybox);
    const session = await handlerFor(container);
    const running = startSession(session, 'echo ready; sleep 300');
    await running.saw('ready');
    await docker('rm', '-f', container.id);
    await expect(running.end).rejects.toMatchObject({
      code: expect.stringMatching(/^container-(gone|ended)$/),
    });
    await expect(runSession(session, 'true')).rejects.toMatchObject({
      code: 'container-gone',
      exitStatus: 255,
    });
  });

  it('start, stop and restart do so, twice as well as once', async () => {
    const container = await open(images.busybox, ['--stop-signal', 'KILL']);
    const state = async () => (await engine.list()).find(({ id }) => id === container.id)?.state;
    await engine.stop(container);
    await engine.stop(container);
    expect(await state()).toBe('exited');
    await engine.start(container);
    await engine.start(container);
    expect(await state()).toBe('running');
    await engine.restart(container);
    expect(await state()).toBe('running');
    await expect(engine.start({ id: '0'.repeat(64) })).rejects.toMatchObject({ code: 'container-gone' });
  });
});

describe('the list', () => {
  it('says of each container what is known', async () => {
    const container = await open(images.busybox, ['--label', 'rexec.name=web']);
    const found = (await engine.list()).find(({ id }) => id === container.id);
    expect(found).toMatchObject({
      kind: 'container',
      name: container.name,
      key: `container:${container.name}`,
      image: images.busybox,
      state: 'running',
      labels: { 'rexec.name': 'web' },
      createdAt: expect.stringMatching(/^20.*Z$/),
    });
  });

  it("leaves out the gateway's own container and its internal ones", async () => {
    const container = await open(images.busybox);
    const internal = await open(images.busybox, ['--label', 'postern.internal']);
    const inside = createTestEngine({ selfId: container.id.slice(0, 12) });
    const ids = (await inside.list()).map(({ id }) => id);
    expect(ids).not.toContain(container.id);
    expect(ids).not.toContain(internal.id);
    expect((await engine.list()).map(({ id }) => id)).toContain(container.id);
  });
});

describe('an image without a shell', () => {
  const bare = () => open(images.noshell, [], ['/bin/sleep', '100000']);

  it('runs a program directly, its words split', async () => {
    const session = await handlerFor(await bare());
    const { stdout, end } = await runSession(session, '/bin/echo one  two $HOME;');
    expect({ stdout, end }).toEqual({ stdout: 'one two $HOME;\n', end: { exitStatus: 0 } });
    expect((await runSession(session, '/bin/cat', { stdin: 'through' })).stdout).toBe('through');
    expect((await runSession(session, '/bin/echo hi', { pty: terminal() })).stdout).toBe('hi\r\n');
  });

  it('silent-program: the session of a client that has left is over, though nothing was ever written', async () => {
    const container = await bare();
    const plain = createTestEngine({ prepares: false, splitWords: (line) => line.split(' ') });
    const session = plain.openSession(await authorizationFor(plain, container.id));
    const running = startSession(session, '/bin/sleep 3214');
    await expect.poll(() => countProcesses(container.id, '3214')).toBe(1);
    running.vanish();
    expect(await Promise.race([running.end, pause(20_000)])).toMatchObject({ exitSignal: 'HUP' });
    await plain.close();
  });

  it('a shell request says that there is none', async () => {
    const session = await handlerFor(await bare());
    await expect(runSession(session, { kind: 'shell' })).rejects.toMatchObject({
      code: 'no-shell',
      exitStatus: 255,
    });
  });

  it("a program that is not there is told as a shell would, without the engine's own text", async () => {
    const { stdout, stderr, end } = await runSession(await handlerFor(await bare()), 'absent --now');
    expect({ stdout, stderr, end }).toEqual({
      stdout: '',
      stderr: 'absent: command not found\n',
      end: { exitStatus: 127 },
    });
  });

  it('files cannot be reached there without a resident, and the sentence says what is missing', async () => {
    const sftp = { kind: 'subsystem', name: 'sftp' } as const;
    const withoutResidents = createTestEngine({ residentIdleMs: 0 });
    const { id } = await bare();
    const session = withoutResidents.openSession(await authorizationFor(withoutResidents, id));
    await expect(runSession(session, sftp)).rejects.toMatchObject({ code: 'no-sftp-server' });
    await withoutResidents.close();
  });

  it('root is a user there, other names are not', async () => {
    const container = await bare();
    expect((await runSession(await handlerFor(container, 'root'), '/bin/echo hi')).stdout).toBe('hi\n');
    await expect(runSession(await handlerFor(container, 'alice'), '/bin/echo hi')).rejects.toMatchObject({
      code: 'no-such-user',
    });
  });
});

describe('what a grant leaves out', () => {
  it('a terminal, file transfer and other subsystems are refused with their sentences', async () => {
    const container = await open(images.busybox);
    const without = async (allows: object) =>
      engine.openSession(await authorizationFor(engine, container.id, undefined, allows));
    await expect(
      runSession(await without({ pty: false }), 'true', { pty: terminal() }),
    ).rejects.toMatchObject({
      code: 'pty-refused',
    });
    const sftp = { kind: 'subsystem', name: 'sftp' } as const;
    await expect(runSession(await without({ sftp: false }), sftp)).rejects.toMatchObject({
      code: 'sftp-refused',
    });
    await expect(runSession(await without({}), { kind: 'subsystem', name: 'netconf' })).rejects.toMatchObject(
      {
        code: 'unknown-subsystem',
      },
    );
  });

  it("the image's own sftp-server answers", async () => {
    const session = await handlerFor(await open(images.debian));
    const running = startSession(session, { kind: 'subsystem', name: 'sftp' });
    running.stdin.write(Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]));
    await running.saw('posix-rename@openssh.com');
    running.stdin.end();
    expect(await running.end).toEqual({ exitStatus: 0 });
    // SSH_FXP_VERSION, version 3.
    expect(running.stdout().subarray(4, 9)).toEqual(Buffer.from([2, 0, 0, 0, 3]));
  });
});
