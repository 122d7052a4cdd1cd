/** What a session has left in a container is ended by its number there, which is another program's after the next start. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseEngineAddress } from '../../src/targets/container/engine-address.ts';
import { createEngineApi } from '../../src/targets/container/engine-api.ts';
import { createSignaller } from '../../src/targets/container/signaller.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';

const api = createEngineApi(parseEngineAddress(undefined, process.env['DOCKER_HOST']));
const signaller = createSignaller(api);
let container: TestContainer;

const startedAt = async () => (await api.inspect(container.id)).State.StartedAt;
/** Resolves when it leads a session, proc(5): a moment after it was begun. */
const beginProgram = async () =>
  Number(
    await container.sh(
      'setsid sleep 4711 >/dev/null 2>&1 & until [ "$(cut -d " " -f 6 /proc/$!/stat)" = $! ]; do sleep 0.1; done; echo $!',
    ),
  );
const leaderOf = (pid: number, at: string) => ({
  ...{ containerId: container.id, engineUser: undefined, shell: '/bin/sh' },
  ...{ pid, startedAt: at },
});

beforeAll(async () => {
  container = await runContainer(images.busybox);
});
afterAll(() => container.remove());

it('a program of another start of the container is left alone, and one of this start is ended', async () => {
  const before = await startedAt();
  await docker('restart', '--time', '0', container.id);
  const pid = await beginProgram();

  expect(await signaller.signalSession(leaderOf(pid, before), 'KILL')).toBe(false);
  await signaller.signalGroup(leaderOf(pid, before), 'KILL');
  expect(await container.sh(`kill -0 ${pid} && echo runs`)).toBe('runs');

  expect(await signaller.signalSession(leaderOf(pid, await startedAt()), 'KILL')).toBe(true);
});
