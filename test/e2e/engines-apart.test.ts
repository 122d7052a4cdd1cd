/** An engine with networks of its own, which nobody dials from here, and workers that die while their programs run there. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { images, runLabel, testLabel } from '../support/engine.ts';
import { type OwnEngine, startOwnEngine } from '../support/own-engine.ts';
import { servingWorkers, until } from '../support/processes.ts';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import {
  type KeyPair,
  makeKeyPair,
  runProgram,
  type SshTarget,
  spawnSsh,
  ssh,
} from '../support/ssh-client.ts';

const name = 'web';
const page = 'mkdir /www; echo "a page" >/www/index.html; exec httpd -f -p 8080 -h /www';

let folder: string;
let engine: OwnEngine;
let served: Served;
let target: SshTarget;
let admin: KeyPair;
const asAdmin = (line: string) => ssh(target, line, { key: admin });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-apart-'));
  engine = await startOwnEngine([images.busybox], { isElsewhere: true });
  const labels = ['--label', `${testLabel}=1`, '--label', `${runLabel}=${process.env['TEST_RUN_ID'] ?? ''}`];
  await engine.docker('network', 'create', 'inner');
  const what = [images.busybox, 'sh', '-c', page];
  await engine.docker('run', '-d', '--network=inner', '--name', name, ...labels, ...what);
  admin = await makeKeyPair();
  served = await serve(folder, [
    `--admin-key=${admin.file}.pub`,
    ...['--docker=unix:///nowhere/docker.sock', '--domain=gw.example', '--http-listen=127.0.0.1:0'],
    '--workers=2',
  ]);
  target = await targetIn(folder, served.port);
  expect((await asAdmin(`engine add far ${engine.host}`)).status).toBe(0);
}, 120_000);
afterAll(async () => {
  if (served) await stop(served);
  await engine?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('kill -9 of a worker', () => {
  it('leaves nothing of its sessions running in a registered engine', async () => {
    const login = `rexec-${name}.far`;
    const sessions = ['-T', '-tt'].map((flag) =>
      spawnSsh(target, 'echo begun; sleep 4321', { key: admin, login, args: [flag] }),
    );
    const ended = sessions.map((session) => once(session, 'close'));
    const running = async () => (await engine.docker('top', name)).split('sleep 4321').length - 1;
    // Each is a shell, with its words in its arguments, and what it waits for.
    await until(async () => (await running()) >= 2);
    for (const worker of servingWorkers(served)) process.kill(worker, 'SIGKILL');
    await Promise.all(ended);
    await until(async () => (await running()) === 0);
  });
});

describe('NAME.DOMAIN of a container there', () => {
  it('is its web server, at an address that leads nowhere from here', async () => {
    await until(() => servingWorkers(served).length === 2);
    const port = /POST http:\/\/127\.0\.0\.1:(\d+)\/exec/.exec(served.printed())?.[1];
    const token = (await asAdmin(`ssh-key generate-api-key --vm=${name}.far`)).text.trim();
    const host = `${name}.far.gw.example`;
    const asked = await runProgram('curl', [
      ...['-sS', '--resolve', `${host}:${port}:127.0.0.1`, '-H', `Authorization: Bearer ${token}`],
      `http://${host}:${port}/`,
    ]);
    expect([asked.text, asked.stderr]).toEqual(['a page\n', '']);
  });
});
