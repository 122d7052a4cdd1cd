/** kill -9 while sessions are recorded: what was written until then is listed, played, exported and fit for asciinema. */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordingsFolder } from '../../src/recordings/recording-folder.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import type { Listed } from '../support/recorded-gateway.ts';
import { parseCast } from '../support/recordings.ts';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, spawnSsh, ssh } from '../support/ssh-client.ts';

let container: TestContainer;
let folder: string;
let admin: KeyPair;
let served: Served;

const start = async () => {
  await writeFile(join(folder, 'config.json'), JSON.stringify({ recordings: 'all' }));
  served = await serve(folder, [`--admin-key=${admin.file}.pub`, `--config=${join(folder, 'config.json')}`]);
  return targetIn(folder, served.port);
};

beforeAll(async () => {
  [container, admin, folder] = await Promise.all([
    runContainer(images.busybox, ['--network=none']),
    makeKeyPair(),
    mkdtemp(join(tmpdir(), 'postern-killed-')),
  ]);
});
afterAll(async () => {
  await stop(served);
  await Promise.all([container.remove(), rm(folder, { recursive: true, force: true })]);
});

it('kill-9-during-recording: a terminal and a program', async () => {
  const before = await start();
  const login = `rexec-${container.name}`;
  const running = [
    spawnSsh(before, 'printf "\\033[1mbegun\\033[m\\n"; yes filler | head -c 300000; cat', {
      key: admin,
      login,
      args: ['-tt'],
    }),
    spawnSsh(before, 'echo begun; cat', { key: admin, login }),
  ];
  await Promise.all(
    running.map(async (client) => {
      await once(client.stdout ?? client, 'data');
      client.stdout?.resume();
    }),
  );
  // What a client saw is on its way to the disk; nobody waits for that where recording is merely on.
  const path = recordingsFolder(join(folder, 'data'));
  const written = async () =>
    (await Promise.all((await readdir(path)).map((name) => readFile(join(path, name), 'utf8')))).filter(
      (text) => text.includes('begun\\u001b[m') || text.includes('"begun'),
    ).length;
  await expect.poll(written).toBe(2);
  const ended = running.map((client) => once(client, 'close'));
  const exited = once(served.child, 'exit');
  served.child.kill('SIGKILL');
  await Promise.all([exited, ...ended]);

  const after = await start();
  const lobby = (line: string, args: readonly string[] = []) => ssh(after, line, { key: admin, args });
  const { recordings } = JSON.parse((await lobby('recording list --json')).text) as { recordings: Listed[] };
  expect(recordings.map(({ kind, state }) => [kind, state]).toSorted()).toEqual([
    ['exec', 'unfinished'],
    ['terminal', 'unfinished'],
  ]);
  for (const { id } of recordings) {
    expect((await lobby(`recording show ${id}`)).text).toContain('unfinished');
    expect((await lobby(`recording play ${id}`)).text).toMatch(/^begun\n/);
    const played = await lobby(`recording play ${id} --speed=64`, ['-tt']);
    expect([played.status, played.text.includes('begun')]).toEqual([0, true]);
    const exported = await lobby(`recording export ${id}`);
    expect(parseCast(exported.text).output).toContain('begun');
    const file = join(folder, `${id}.cast`);
    await writeFile(file, exported.stdout);
    const script = `LC_ALL=C.UTF-8 asciinema cat ${file}`;
    const shown = await runProgram('script', ['-qec', script, '/dev/null']);
    expect([shown.status, shown.text.includes('begun')]).toEqual([0, true]);
  }
});
