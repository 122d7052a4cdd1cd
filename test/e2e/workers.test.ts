/** Workers that die, hang, or hold what was revoked elsewhere: each takes no more with it than its own connections. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { docker } from '../support/containers.ts';
import { engineHost, removeContainer, startContainer } from '../support/engine.ts';
import { openInBoth } from '../support/open-in-both.ts';
import { isRunning, servingWorkers, supervisorsOf, until } from '../support/processes.ts';
import { main, type Served, serve, targetIn } from '../support/served.ts';
import {
  type KeyPair,
  makeKeyPair,
  runProgram,
  type SshTarget,
  spawnSsh,
  ssh,
} from '../support/ssh-client.ts';

let folder: string;
let served: Served;
let target: SshTarget;
let admin: KeyPair;
const whoami = (key = admin) => ssh(target, 'whoami', { key });
const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);
const events = async () =>
  (await readFile(join(folder, 'data/audit/audit.jsonl'), 'utf8'))
    .split('\n')
    // Behind the last whole line is nothing, or one that is being written.
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function start(): Promise<void> {
  served = await serve(folder, [
    `--admin-key=${admin.file}.pub`,
    `--docker=${engineHost()}`,
    '--workers=2',
    '--log-level=info',
  ]);
  target = await targetIn(folder, served.port);
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-workers-'));
  admin = await makeKeyPair();
  await start();
});
afterAll(async () => {
  served.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => until(() => servingWorkers(served).length === 2));

describe('a change', () => {
  it('key-removed-elsewhere: a connection in another worker is closed before the command has answered', async () => {
    const key = await makeKeyPair();
    await ssh(target, `ssh-key add '${key.publicKey}' --name=other`, { key: admin });
    const held = await openInBoth(served, key.file);
    const ended = [...held.values()].map((socket) => once(socket.resume(), 'end'));
    expect((await ssh(target, 'ssh-key remove other', { key: admin })).status).toBe(0);
    // What was sent before the answer may be read a moment after it.
    await Promise.all(ended);
    expect((await whoami(key)).status).toBe(255);
  });

  it('stuck-worker: is not acknowledged while a worker may not know of it, which is then replaced', async () => {
    const held = await openInBoth(served, admin.file);
    const [stuck = 0] = held.keys();
    process.kill(stuck, 'SIGSTOP');
    const changed = await postern('invite', 'create');
    expect([changed.stderr, changed.status, isRunning(stuck)]).toEqual(['', 0, false]);
    await until(() => servingWorkers(served).length === 2 && !servingWorkers(served).includes(stuck));
    expect((await whoami()).text).toContain('Account: admin');
    for (const socket of held.values()) socket.destroy();
  });
});

describe('kill -9', () => {
  it('of a worker ends its own connections and no others, and another takes its place', async () => {
    const held = await openInBoth(served, admin.file);
    const [[killed, lost], [, kept]] = [...held] as [[number, Socket], [number, Socket]];
    const ended = once(lost.on('error', () => {}).resume(), 'close');
    process.kill(killed, 'SIGKILL');
    await ended;
    await until(() => servingWorkers(served).filter((pid) => pid !== killed).length === 2);
    expect((await whoami()).text).toContain('Account: admin');
    expect(kept.destroyed).toBe(false);
    await until(async () =>
      (await events()).some(({ event, pid }) => event === 'worker-died' && pid === killed),
    );
    expect((await events()).find(({ pid }) => pid === killed)).toMatchObject({
      signal: 'SIGKILL',
      connections: 1,
    });
    kept.destroy();
  });

  it('of a worker leaves nothing of its sessions running in containers, and the audit says how they ended', async () => {
    const container = await startContainer({ network: 'none' });
    const login = `rexec-${container.name}`;
    const sessions = ['', '-tt'].map((flag) =>
      spawnSsh(target, 'echo begun; sleep 4321', { key: admin, login, args: flag === '' ? [] : [flag] }),
    );
    const ended = sessions.map((session) => once(session, 'close'));
    await Promise.all(sessions.map(({ stdout }) => stdout && once(stdout, 'data')));
    const running = async () => (await docker('top', container.name)).split('sleep 4321').length - 1;
    // Each is a shell, with its words in its arguments, and what it waits for.
    await until(async () => (await running()) >= 2);
    for (const worker of servingWorkers(served)) process.kill(worker, 'SIGKILL');
    await Promise.all(ended);
    await until(async () => (await running()) === 0);
    const lost = async () =>
      (await events())
        .filter(({ event, end }) => event === 'session-ended' && JSON.stringify(end).includes('worker died'))
        .filter(({ target: name }) => name === login || name === container.name);
    await expect.poll(lost).toHaveLength(2);
    await removeContainer(container);
  });

  it('of the supervisor ends no session, and what is changed afterwards counts in all', async () => {
    const key = await makeKeyPair();
    const held = await openInBoth(served, admin.file);
    const [supervisor = 0] = supervisorsOf(served);
    process.kill(supervisor, 'SIGKILL');
    await until(() => served.printed().includes('another one is started'));
    // Who connects meanwhile waits.
    expect((await whoami()).text).toContain('Account: admin');
    expect(supervisorsOf(served)).not.toContain(supervisor);
    expect([...held.values()].map(({ destroyed }) => destroyed)).toEqual([false, false]);
    expect([...held.keys()].map(isRunning)).toEqual([true, true]);
    expect((await ssh(target, `ssh-key add '${key.publicKey}'`, { key: admin })).status).toBe(0);
    expect((await whoami(key)).text).toContain('Account: admin');
    for (const socket of held.values()) socket.destroy();
    await until(() => ![...held.keys()].some(isRunning));
  });

  it('of the keeper ends all, and the next gateway has everything that was acknowledged', async () => {
    const key = await makeKeyPair();
    expect((await ssh(target, `ssh-key add '${key.publicKey}'`, { key: admin })).status).toBe(0);
    const all = [...supervisorsOf(served), ...servingWorkers(served)];
    served.child.kill('SIGKILL');
    await until(() => !all.some(isRunning));
    await start();
    expect((await whoami(key)).text).toContain('Account: admin');
  });
});

it('workers.sock: nobody but the user of the gateway can open it', async () => {
  const { mode } = await stat(join(folder, 'data/workers.sock'));
  expect(mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
  const path = join(folder, 'data/workers.sock');
  const connect = `require('net').connect('${path}').on('error', (error) => console.log(error.code))`;
  const asNobody = await runProgram('setpriv', [
    ...['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', connect],
  ]);
  expect(asNobody.text).toContain('EACCES');
});
