/** An engine that is not there, goes away, or comes back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEngine } from '../support/container-engine.ts';
import { countProcesses, until } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createEngineProxy } from '../support/engine-proxy.ts';
import { authorizationFor, runSession, startSession, terminal } from '../support/session-io.ts';

describe('the engine', () => {
  let container: TestContainer;
  let folder: string;
  const { listen, vanish, freeze, refuse, connections } = createEngineProxy();

  beforeAll(async () => {
    container = await runContainer(images.busybox);
    folder = await mkdtemp(join(tmpdir(), 'postern-engine-'));
  });
  afterAll(async () => {
    await container.remove();
    await rm(folder, { recursive: true, force: true });
  });

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
    const session = through.openSession(await authorizationFor(through, container.id));
    const running = startSession(session, 'echo ready; sleep 300');
    await running.saw('ready');
    await vanish();
    await expect(running.end).rejects.toMatchObject({ code: 'engine-unavailable' });
    await expect(runSession(session, 'true')).rejects.toMatchObject({ code: 'engine-unavailable' });
    await listen(path);
    expect((await runSession(session, 'exit 5')).end).toEqual({ exitStatus: 5 });
    // Its program is hung up as soon as the engine can be asked for that.
    expect(await until(async () => (await countProcesses(container.id, 'sleep 300')) === 0, 30_000)).toBe(
      true,
    );
    await through.close();
    await vanish();
  });

  it.each([
    ['stops', () => docker('kill', container.id)],
    ['starts anew', () => docker('restart', '--time', '0', container.id)],
  ])('says no more of a program whose container %s: the session ends all the same', async (what, end) => {
    const path = join(folder, `frozen that ${what}.sock`);
    await listen(path);
    const through = createTestEngine({ docker: `unix://${path}`, looksEveryMs: 200, prepares: false });
    const session = through.openSession(await authorizationFor(through, container.id));
    const running = startSession(session, 'echo ready; sleep 300');
    const other = startSession(session, 'echo ready; cat');
    await Promise.all([running.saw('ready'), other.saw('ready')]);
    freeze();
    await end();
    await expect(running.end).rejects.toMatchObject({ code: 'container-ended' });
    await expect(other.end).rejects.toMatchObject({ code: 'container-ended' });
    await docker('start', container.id);
    await through.close();
    await vanish();
  });

  it('has failed once to say how a container is: its sessions go on', async () => {
    const path = join(folder, 'busy.sock');
    await listen(path);
    const through = createTestEngine({ docker: `unix://${path}`, looksEveryMs: 100, prepares: false });
    const session = through.openSession(await authorizationFor(through, container.id));
    const running = startSession(session, 'echo ready; read word; echo $word; exit 5');
    await running.saw('ready');
    await refuse();
    await pause(500);
    running.stdin.end('still here\n');
    expect(await running.saw('still here')).toContain('still here');
    await listen(path);
    expect(await running.end).toEqual({ exitStatus: 5 });
    await through.close();
    await vanish();
  });

  it('keeps no connection after a hundred sessions, however they ended', async () => {
    const path = join(folder, 'count.sock');
    await listen(path);
    const counted = createTestEngine({ docker: `unix://${path}`, hangupGraceMs: 100 });
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
    // A spare that was on its way when the engine was closed hears nothing, and ends after six seconds.
    await expect.poll(connections, { timeout: 30_000 }).toBe(0);
    await vanish();
  });
});
