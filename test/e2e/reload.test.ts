/** SIGHUP and `postern reload`: a running gateway takes a new configuration without dropping anyone. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { main, type Served, serve, stop, targetIn } from '../support/served.ts';
import {
  type KeyPair,
  makeKeyPair,
  runProgram,
  type SshTarget,
  spawnSsh,
  ssh,
} from '../support/ssh-client.ts';

let folder: string;
let file: string;
let served: Served;
let target: SshTarget;
let admin: KeyPair;
const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 30_000, interval: 20 });
const configure = (values: Record<string, unknown>) => writeFile(file, JSON.stringify(values, null, 2));
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-reload-'));
  file = join(folder, 'postern.json');
  admin = await makeKeyPair();
  await configure({});
  const flags = [`--admin-key=${admin.file}.pub`, `--config=${file}`];
  served = await serve(folder, [...flags, '--log-level=info']);
  target = await targetIn(folder, served.port);
});
afterAll(async () => {
  await stop(served);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => configure({}));

const reload = () => runProgram(process.execPath, [main, 'reload', `--data=${folder}/data`]);
const addKey = async () => ssh(target, `ssh-key add '${(await makeKeyPair()).publicKey}'`, { key: admin });

it('a limit that SIGHUP lowers holds for whoever is connected, who stays connected', async () => {
  const prompt = spawnSsh(target, undefined, { key: admin, args: ['-tt'] });
  let shown = '';
  for (const stream of [prompt.stdout, prompt.stderr]) {
    stream?.on('data', (chunk) => {
      shown += chunk;
    });
  }
  await until(() => shown.includes('\n'));
  await configure({ maxKeysPerAccount: 1 });
  served.child.kill('SIGHUP');
  await until(() => served.printed().includes('in force from now on: maxKeysPerAccount.'));
  shown = '';
  prompt.stdin?.write(`ssh-key add '${(await makeKeyPair()).publicKey}'\r`);
  await until(() => shown.includes('an account may hold 1 keys'));
  const left = once(prompt, 'close');
  prompt.stdin?.write('exit\r');
  await left;
});

it('the operator is told what is in force, and what waits for a restart', async () => {
  await reload();
  await configure({ maxAuthTries: 2, docker: 'tcp://127.0.0.1:1' });
  const { text, status } = await reload();
  expect([text, status]).toEqual([
    'The configuration was read again; in force from now on: maxAuthTries. Changed too, but in force only after a restart: docker.\n',
    0,
  ]);
});

it('a file with a mistake is refused with its line, and what was in force stays', async () => {
  await reload();
  await writeFile(file, '{\n  "maxKeysPerAccount": 1,\n  "maxAuthTries": 6,,\n}\n');
  const refused = await reload();
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/postern\.json cannot be used: line 3: .* The configuration in force stays/);
  served.child.kill('SIGHUP');
  await until(() => served.printed().includes('cannot be used: line 3'));
  expect((await addKey()).status).toBe(0);
});

it('a value out of its range is refused by key and line', async () => {
  await writeFile(file, '{\n  "maxKeysPerAccount": "many"\n}\n');
  const { stderr, status } = await reload();
  expect(status).toBe(1);
  expect(stderr).toMatch(/maxKeysPerAccount \(.*postern\.json, line 2\) is wrong/);
});

it('bad-file-at-restore: a gateway that is restored starts again with what was in force', async () => {
  const backup = join(folder, 'backup.tar');
  const postern = (...args: string[]) =>
    runProgram(process.execPath, [main, ...args, `--data=${folder}/restored/data`]);
  // A database is not restored under those who use it.
  const restorable = await serve(`${folder}/restored`, [`--config=${file}`, '--store=lowdb']);
  expect((await postern('backup', backup)).status).toBe(0);
  await writeFile(file, '{');
  const restored = await postern('restore', backup);
  expect([restored.stderr, restored.status]).toEqual(['', 0]);
  await until(() =>
    /postern\.json cannot be used: line 1.* in force stays as it was/.test(restorable.printed()),
  );
  expect(restorable.child.exitCode).toBeNull();
  await stop(restorable);
});
