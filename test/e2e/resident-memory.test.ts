/** A resident's memory is its container's: what the container is there for must not pay for it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestEngine } from '../support/container-engine.ts';
import { until } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { residentSession, tellParent } from '../support/residents.ts';
import { authorizationFor, runSession } from '../support/session-io.ts';

const limits = ['--memory', '256m', '--memory-swap', '256m'];
/** Takes so many MiB, and holds them: whoever should read what it writes does not. */
const holds = (mib: number) => `head -c ${mib}m /dev/zero | tail -c ${mib}m | sleep 100000`;
const engine = createTestEngine();
const started: TestContainer[] = [];

async function start(command: string): Promise<TestContainer> {
  const container = await runContainer(images.debian, limits, ['sh', '-c', `${command} & sleep 100000`]);
  started.push(container);
  return container;
}

let full: TestContainer;
let roomy: TestContainer;
beforeAll(async () => {
  [full, roomy] = await Promise.all([start(holds(225)), start('true')]);
});
afterAll(async () => {
  await engine.close();
  await Promise.all(started.map((each) => each.remove()));
});

const lives = ({ id }: TestContainer, name: string) =>
  docker('exec', id, 'pidof', name).then(
    () => true,
    () => false,
  );
const usedMib = async () =>
  Number(await docker('exec', full.id, 'sh', '-c', 'cut -d" " -f2 /proc/$(pidof tail)/statm || :')) / 256;

it('app-killed: commands in a container that is nearly full cost nothing of it its memory', async () => {
  expect(await until(async () => (await usedMib()) > 200, 30_000)).toBe(true);
  const session = engine.openSession(await authorizationFor(engine, full.id));
  for (let n = 0; n < 4; n++) {
    const { stdout, end } = await runSession(session, `${tellParent}; sleep 0.5`);
    expect([stdout.toString().includes('resident'), end]).toEqual([false, { exitStatus: 0 }]);
  }
  expect(await lives(full, 'tail')).toBe(true);
});

it('app-killed: where memory runs out later the resident goes first, and its programs like any other', async () => {
  const session = await residentSession(engine, roomy);
  const usual = await docker('exec', roomy.id, 'cat', '/proc/self/oom_score_adj');
  const scores = async () =>
    (await runSession(session, 'cat /proc/$PPID/oom_score_adj /proc/self/oom_score_adj')).stdout.toString();
  // For the moment in which it starts a program it is like that.
  expect(await until(async () => (await scores()) === `1000\n${usual}\n`, 30_000)).toBe(true);
  // More than there is room for beside a resident.
  await docker('exec', '-d', roomy.id, 'sh', '-c', holds(230));
  expect(await until(async () => !(await lives(roomy, 'MainThread')), 30_000)).toBe(true);
  expect(await lives(roomy, 'tail')).toBe(true);
});
