/** New host keys where several processes have the old ones: the workers of a gateway, and gateways that share the folder. */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { servingWorkers, until } from '../support/processes.ts';
import { main, type Served, serve, stop, targetIn } from '../support/served.ts';
import {
  type KeyPair,
  makeKeyPair,
  runProgram,
  type SshTarget,
  spawnSsh,
  ssh,
} from '../support/ssh-client.ts';

interface Gateway {
  readonly folder: string;
  readonly served: Served;
}

let folder: string;
let admin: KeyPair;
let withWorkers: Gateway;
let ofOneProcess: Gateway;

async function start(name: string, workers: number): Promise<Gateway> {
  const own = join(folder, name);
  await mkdir(own);
  await symlink(join(folder, 'hostkeys'), join(own, 'hostkeys'));
  await writeFile(join(own, 'postern.json'), '{}');
  const flags = [`--admin-key=${admin.file}.pub`, `--workers=${workers}`];
  return { folder: own, served: await serve(own, [...flags, `--config=${own}/postern.json`]) };
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-rotation-'));
  admin = await makeKeyPair();
  await mkdir(join(folder, 'hostkeys'), { mode: 0o700 });
  [withWorkers, ofOneProcess] = await Promise.all([start('workers', 2), start('one', 0)]);
  await until(() => servingWorkers(withWorkers.served).length === 2);
});
afterAll(async () => {
  await Promise.all([stop(withWorkers.served), stop(ofOneProcess.served)]);
  await rm(folder, { recursive: true, force: true });
});

const postern = ({ folder: own }: Gateway, ...args: string[]) =>
  runProgram(process.execPath, [main, ...args, `--data=${own}/data`]);
/** Whose client knows the first of the host keys in use. */
const clientOf = (gateway: Gateway) => targetIn(gateway.folder, gateway.served.port);
const whoami = (target: SshTarget) => ssh(target, 'whoami', { key: admin });
const nextKey = async () =>
  (await readFile(join(folder, 'hostkeys/ssh_host_ed25519_key.next.pub'), 'utf8')).split(' ')[1] as string;
const knows = async ({ knownHosts }: SshTarget, key: string) =>
  (await readFile(knownHosts, 'utf8')).includes(key);

/** By a prompt each, which are open together and so in all workers. */
async function learn(targets: readonly SshTarget[], key: string): Promise<void> {
  const prompts = targets.map((target) =>
    spawnSsh(target, undefined, { key: admin, args: ['-tt', '-o', 'UpdateHostKeys=yes'] }),
  );
  const left = prompts.map((prompt) => once(prompt, 'close'));
  try {
    await expect
      .poll(() => Promise.all(targets.map((target) => knows(target, key))), { timeout: 30_000 })
      .toEqual(targets.map(() => true));
  } finally {
    for (const prompt of prompts) prompt.kill();
    await Promise.all(left);
  }
}

it('each worker announces the next keys, and who learnt them logs in after they are in use', async () => {
  const targets = [await clientOf(withWorkers), await clientOf(withWorkers)];
  expect(await postern(withWorkers, 'hostkey', 'rotate')).toMatchObject({ status: 0, stderr: '' });
  const next = await nextKey();
  await learn(targets, next);
  expect((await ssh(targets[0] as SshTarget, 'ssh-config --known-hosts', { key: admin })).text).toContain(
    next,
  );
  expect(await postern(withWorkers, 'hostkey', 'rotate', '--finish')).toMatchObject({ status: 0 });
  for (const target of targets) expect(await whoami(target)).toMatchObject({ status: 0, stderr: '' });
});

it.each([
  ['of one process', () => [withWorkers, ofOneProcess] as const],
  ['with workers', () => [ofOneProcess, withWorkers] as const],
])('a gateway %s has what another one rotated in their folder after a reload', async (_, both) => {
  const [rotating, reloading] = both();
  await postern(reloading, 'reload');
  const target = await clientOf(reloading);
  await postern(rotating, 'hostkey', 'rotate');
  const next = await nextKey();
  expect(await postern(reloading, 'reload')).toMatchObject({ status: 0, stderr: '' });
  await learn([target], next);
  await postern(rotating, 'hostkey', 'rotate', '--finish');
  expect(await postern(reloading, 'reload')).toMatchObject({ status: 0, stderr: '' });
  // Its client knows the new key alone.
  expect(await whoami(await clientOf(reloading))).toMatchObject({ status: 0, stderr: '' });
  expect(await whoami(target)).toMatchObject({ status: 0, stderr: '' });
});

it('unusable-host-key: a reload is refused with its name, and keys and configuration stay', async () => {
  const { folder: own } = ofOneProcess;
  await postern(ofOneProcess, 'reload');
  const target = await clientOf(ofOneProcess);
  const broken = join(folder, 'hostkeys/ssh_host_ed25519_key.next');
  await writeFile(broken, 'nonsense', { mode: 0o600 });
  await writeFile(join(own, 'postern.json'), '{"maxAuthTries": 2}');
  const refused = await postern(ofOneProcess, 'reload');
  await rm(broken);
  expect([refused.status, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/ed25519_key\.next is not a private key.* The configuration in force stays/),
  ]);
  expect(await whoami(target)).toMatchObject({ status: 0 });
  expect((await postern(ofOneProcess, 'reload')).text).toContain('in force from now on: maxAuthTries');
});
