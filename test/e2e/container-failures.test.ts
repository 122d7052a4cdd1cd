/** What a person is told when a container or the engine is not as they wish. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { engineSocket, images } from '../support/engine.ts';
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
    await engine.stop(container.id);
    await expect(runSession(session, 'true')).rejects.toMatchObject({
      code: 'container-not-running',
      exitStatus: 255,
      message: expect.stringMatching(`${container.name} is exited.*start ${container.name}`),
    });
  }, 30_000);

  it('paused is not running either, and is not waited for', async () => {
    const container = await open(images.busybox);
    const session = await handlerFor(container);
    await docker('pause', container.id);
    await expect(runSession(session, 'true')).rejects.toMatchObject({ code: 'container-not-running' });
    await docker('unpause', container.id);
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
    await engine.restart(container.id);
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
    await engine.stop(container.id);
    await engine.stop(container.id);
    expect(await state()).toBe('exited');
    await engine.start(container.id);
    await engine.start(container.id);
    expect(await state()).toBe('running');
    await engine.restart(container.id);
    expect(await state()).toBe('running');
    await expect(engine.start('0'.repeat(64))).rejects.toMatchObject({ code: 'container-gone' });
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
    await expect(runSession(await without({}), sftp)).rejects.toMatchObject({ code: 'no-sftp-server' });
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

describe('the engine', () => {
  let folder: string;
  let proxy: Server | undefined;
  const sockets = new Set<Socket>();
  /** The real engine behind a socket of ours, so that it can go away. */
  const listen = (path: string) =>
    new Promise<void>((resolve) => {
      proxy = createServer({ allowHalfOpen: true }, (inner) => {
        const outer = createConnection({ path: engineSocket(), allowHalfOpen: true });
        for (const [from, to] of [
          [inner, outer],
          [outer, inner],
        ] as const) {
          sockets.add(from);
          from.on('error', () => to.destroy()).on('close', () => sockets.delete(from));
          from.pipe(to);
        }
      }).listen(path, resolve);
    });
  const vanish = async () => {
    for (const each of sockets) each.destroy();
    await new Promise((resolve) => proxy?.close(resolve));
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-engine-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['unix:///absent/docker.sock', /socket does not exist/],
    ['tcp://127.0.0.1:1', /connection refused/],
  ])('unreachable at %s: a sentence', async (docker, reason) => {
    const absent = createTestEngine({ docker });
    const expected = { code: 'engine-unavailable', exitStatus: 255, message: expect.stringMatching(reason) };
    await expect(absent.ping()).rejects.toMatchObject(expected);
    await expect(absent.list()).rejects.toMatchObject(expected);
    await absent.close();
  });

  it('gone while a session runs, and back: the session ends, later ones work', async () => {
    const path = join(folder, 'docker.sock');
    await listen(path);
    const through = createTestEngine({ docker: `unix://${path}` });
    const container = await open(images.busybox);
    const session = through.openSession(await authorizationFor(through, container.id));
    const running = startSession(session, 'echo ready; sleep 300');
    await running.saw('ready');
    await vanish();
    await expect(running.end).rejects.toMatchObject({ code: 'engine-unavailable' });
    await expect(runSession(session, 'true')).rejects.toMatchObject({ code: 'engine-unavailable' });
    await listen(path);
    expect((await runSession(session, 'exit 5')).end).toEqual({ exitStatus: 5 });
    await through.close();
    await vanish();
  });

  it('keeps no connection after a hundred sessions, however they ended', async () => {
    const path = join(folder, 'count.sock');
    await listen(path);
    const counted = createTestEngine({ docker: `unix://${path}`, hangupGraceMs: 100 });
    const container = await open(images.busybox);
    const session = counted.openSession(await authorizationFor(counted, container.id));
    const noUser = counted.openSession(await authorizationFor(counted, container.id, 'nobody-here'));
    const ways: (() => Promise<unknown>)[] = [
      () => runSession(session, 'echo hi; exit 1'),
      () => runSession(session, 'true', { pty: terminal() }),
      () => runSession(noUser, 'true').catch(() => {}),
      () => {
        const running = startSession(session, 'cat');
        running.vanish();
        return running.end;
      },
      async () => {
        const running = startSession(session, 'echo ready; yes');
        await running.saw('ready');
        running.vanish();
        return running.end;
      },
    ];
    for (let round = 0; round < 20; round++) await Promise.all(ways.map((way) => way()));
    await counted.close();
    await expect.poll(() => sockets.size, { timeout: 5_000 }).toBe(0);
    await vanish();
  });
});
