/** A resident: the gateway's own Node, for a while, as one user of a container into which nothing was put. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countProcesses, until } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createTestResidents, holdersOf } from '../support/residents.ts';

const program = new URL('../support/resident-of-a-killed-gateway.ts', import.meta.url).pathname;
const containers = new Map<string, TestContainer>();

beforeAll(async () => {
  const waiting = {
    debian: ['sleep', '100000'],
    busybox: ['sleep', '100000'],
    noshell: ['/bin/sleep', '100000'],
  };
  for (const [name, cmd] of Object.entries(waiting)) {
    containers.set(name, await runContainer(images[name as keyof typeof images], [], cmd));
  }
});
afterAll(() => Promise.all([...containers.values()].map((each) => each.remove())));

const containerOf = (name: string) => containers.get(name) as TestContainer;
const residentsIn = ({ id }: TestContainer) => countProcesses(id, 'resident');
const none = (container: TestContainer) => until(async () => (await residentsIn(container)) === 0, 30_000);

describe('a resident', () => {
  it.each([
    ['debian', undefined, '0'],
    ['debian', 'app', '1000'],
    ['busybox', undefined, '0'],
    ['busybox', '1000', '1000'],
    ['noshell', undefined, '0'],
    ['noshell', '1000', '1000'],
  ])('comes up in %s as %s, and leaves no holder', async (image, user, uid) => {
    const { open, close } = createTestResidents();
    const container = containerOf(image);
    const resident = await open(container.id, user);
    const { headers } = await resident.ask('/hello');
    expect(headers['x-uid']).toBe(uid);
    expect(await holdersOf(container)).toEqual([]);
    expect(await residentsIn(container)).toBeGreaterThan(0);
    await close();
    expect(await none(container)).toBe(true);
  });

  it('is one for each user, however many ask at once', async () => {
    const { open, close } = createTestResidents();
    const { id } = containerOf('busybox');
    const roots = await Promise.all(Array.from({ length: 20 }, () => open(id)));
    const app = await open(id, 'app');
    expect(new Set(roots).size).toBe(1);
    expect(app).not.toBe(roots[0]);
    await close();
    expect(await none(containerOf('busybox'))).toBe(true);
  });

  it('ends when nobody has needed it for a while, and comes back', async () => {
    const { open, close } = createTestResidents({ idleMs: 300 });
    const container = containerOf('busybox');
    const first = await open(container.id);
    expect(await none(container)).toBe(true);
    expect(await open(container.id)).not.toBe(first);
    await close();
  });

  it('gateway-killed: it does not outlive a gateway that had no time to say goodbye', async () => {
    const container = containerOf('busybox');
    const gateway = spawn(process.execPath, [program, container.id], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(String(await once(gateway.stdout, 'data'))).toContain('open');
    expect(await residentsIn(container)).toBeGreaterThan(0);
    gateway.kill('SIGKILL');
    expect(await none(container)).toBe(true);
    expect(await holdersOf(container)).toEqual([]);
  });

  it('environment: what the container makes its programs load does not reach into it', async () => {
    const hostile = ['LD_PRELOAD=/absent.so', 'LD_LIBRARY_PATH=/', 'NODE_OPTIONS=--nonsense', 'LD_DEBUG=all'];
    const container = await runContainer(
      images.busybox,
      hostile.flatMap((each) => ['-e', each]),
    );
    const { open, close } = createTestResidents();
    await (await open(container.id)).ask('/hello');
    await close();
    await container.remove();
  });

  it.each([
    ['too little memory', ['--memory', '64m']],
    ['too few processes', ['--pids-limit', '32']],
    ['the processes of another', ['--pid', 'host']],
  ])('is not for a container with %s, and nothing is tried there', async (reason, options) => {
    const container = await runContainer(images.busybox, options);
    const { open, close } = createTestResidents();
    await expect(open(container.id)).rejects.toThrow(reason);
    await close();
    await container.remove();
  });

  it('knows the group that a container is configured for, by name', async () => {
    const container = await runContainer(images.debian, ['--user', 'app:extra']);
    const { open, close } = createTestResidents();
    await (await open(container.id)).ask('/hello');
    await close();
    await container.remove();
  });

  it('is made anew when the container has started anew', async () => {
    const { open, close } = createTestResidents();
    const container = containerOf('busybox');
    const first = await open(container.id);
    await docker('restart', '-t', '0', container.id);
    const second = await open(container.id);
    expect(first.isOpen).toBe(false);
    await second.ask('/hello');
    await close();
  });
});
