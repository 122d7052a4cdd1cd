/** A gateway whose Docker Engine goes away under people who work, and comes back. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createEngineProxy } from '../support/engine-proxy.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { readMetrics } from '../support/metrics-page.ts';
import { spawnSsh } from '../support/ssh-client.ts';

const engine = createEngineProxy();
let folder: string;
let container: TestContainer;
let door: TestGateway;

beforeAll(async () => {
  container = await runContainer(images.busybox, ['--network=none']);
  folder = await mkdtemp(join(tmpdir(), 'postern-engine-'));
  await engine.listen(join(folder, 'docker.sock'));
  door = await startTestGateway({
    config: { docker: `unix://${folder}/docker.sock`, metricsListen: '127.0.0.1:0' },
  });
});
afterAll(async () => {
  await door.stop();
  await engine.vanish();
  await container.remove();
  await rm(folder, { recursive: true, force: true });
});

it('people are told in a sentence, the lobby stays, and containers are there again with the engine', async () => {
  const login = `rexec-${container.name}`;
  const inside = () => door.ssh('echo inside', { login });
  const prompt = spawnSsh(door, undefined, { key: door.admin, args: ['-tt'] });
  let seen = '';
  prompt.stdout?.on('data', (chunk) => {
    seen += chunk;
  });
  expect((await inside()).text).toBe('inside\n');
  const running = spawnSsh(door, 'echo begun; cat', { key: door.admin, login });
  let told = '';
  running.stderr?.on('data', (chunk) => {
    told += chunk;
  });
  const ended = once(running, 'close');
  await once(running.stdout as NonNullable<typeof running.stdout>, 'data');

  await engine.vanish();
  expect((await ended)[0]).toBe(255);
  expect(told).toMatch(/^postern: .*\.\r?\n$/);
  const refused = await inside();
  expect([refused.status, refused.stderr]).toEqual([
    255,
    expect.stringMatching(/^postern: .*Docker Engine.*\.\n$/),
  ]);
  prompt.stdin?.write('whoami\r');
  await expect.poll(() => seen, { timeout: 20_000 }).toContain('Account: admin');
  const failures = (await readMetrics(door.gateway.metricsAddress?.port)).sum(
    'postern_docker_request_failures_total',
  );
  expect(failures).toBeGreaterThan(0);

  await engine.listen(join(folder, 'docker.sock'));
  await expect.poll(async () => (await inside()).text, { timeout: 30_000 }).toBe('inside\n');
  expect(prompt.exitCode).toBeNull();
  prompt.kill();
});
