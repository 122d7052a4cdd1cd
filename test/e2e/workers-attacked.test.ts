/** What may go wrong between a supervisor, its workers and their keeper, where somebody provokes it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, callPort } from '../support/caller.ts';
import { freePort } from '../support/free-port.ts';
import { openPrompt } from '../support/open-prompt.ts';
import { isRunning, servingWorkers, supervisorsOf, until } from '../support/processes.ts';
import { main, type Served, serve, serveArgs, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, type SshTarget, ssh } from '../support/ssh-client.ts';

let folder: string;
let file: string;
let served: Served;
let admin: KeyPair;
let target: SshTarget;
const configure = (values: Record<string, unknown>) => writeFile(file, JSON.stringify(values));
const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-attacked-'));
  file = join(folder, 'postern.json');
  await configure({ workers: 1 });
  admin = await makeKeyPair();
  served = await serve(folder, [`--admin-key=${admin.file}.pub`, `--config=${file}`, '--log-level=info']);
  target = await targetIn(folder, served.port);
});
afterAll(async () => {
  served.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const call = (port = served.port, localAddress?: string) => callPort(port, localAddress);

it('stop-while-starting: a gateway whose worker hangs before it serves ends by a SIGTERM', async () => {
  const child = spawn(process.execPath, serveArgs(join(folder, 'stuck'), ['--workers=1']), {
    stdio: 'ignore',
  });
  const left = once(child, 'exit');
  const stuck = { child, printed: () => '', port: 0 };
  await until(() => servingWorkers(stuck).length === 1);
  const [worker = 0] = servingWorkers(stuck);
  process.kill(worker, 'SIGSTOP');
  child.kill('SIGTERM');
  expect(await left).toEqual([1, null]);
  expect(isRunning(worker)).toBe(false);
}, 60_000);

describe('connections that wait for a worker that hangs', () => {
  it('are not left open when it is killed: another one serves them', async () => {
    const [worker = 0] = servingWorkers(served);
    process.kill(worker, 'SIGSTOP');
    const callers = Array.from({ length: 4 }, () => call());
    await until(() => callers.every(({ socket }) => !socket.connecting));
    await postern('session', 'list');
    process.kill(worker, 'SIGKILL');
    const isSettled = ({ heard, isClosed }: Caller) => heard().startsWith('SSH-2.0-') || isClosed();
    await until(() => callers.every(isSettled));
    // One was on its way.
    expect(callers.filter(({ isClosed }) => isClosed()).length).toBeLessThanOrEqual(1);
    for (const { socket } of callers) socket.destroy();
  });
});

const isRefused = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });

describe('a restart into a configuration that cannot be served', () => {
  const refused = async (values: Record<string, unknown>, problem: RegExp) => {
    const before = servingWorkers(served);
    await configure({ workers: 1, ...values });
    const answer = await postern('restart');
    expect([answer.stderr, answer.status]).toEqual([expect.stringMatching(problem), 1]);
    await until(() => servingWorkers(served).join() === before.join());
    const caller = call();
    await until(() => caller.heard().startsWith('SSH-2.0-'));
    caller.socket.destroy();
  };

  it('for the certificate of its HTTP listener, or a taken port, is refused while the old one serves', async () => {
    const bad = join(folder, 'bad.pem');
    await writeFile(bad, 'no certificate');
    const http = { httpListen: '127.0.0.1:0', tlsCert: bad, tlsKey: bad };
    await refused(http, /no restart: the certificate .*bad\.pem .* What runs goes on\./);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await refused({ metricsListen: `127.0.0.1:${port}` }, /no restart: .*metrics-listen/);
    taken.close();
  });
});

describe('listeners that a restart moves or takes away', () => {
  it('listen nowhere any more, in no process', async () => {
    const [first, second] = [await freePort(), await freePort()];
    await configure({ workers: 1, httpListen: `127.0.0.1:${first}`, healthListen: `127.0.0.1:${second}` });
    expect((await postern('restart')).status).toBe(0);
    expect([await isRefused(first), await isRefused(second)]).toEqual([false, false]);
    const third = await freePort();
    await configure({ workers: 1, httpListen: `127.0.0.1:${third}` });
    expect((await postern('restart')).status).toBe(0);
    await until(async () => (await isRefused(first)) && (await isRefused(second)));
    expect(await isRefused(third)).toBe(false);
  });

  it('and two who ask for a restart at once are both answered', async () => {
    await configure({ workers: 1 });
    await until(() => supervisorsOf(served).length === 1);
    const first = postern('restart');
    await until(() => supervisorsOf(served).length === 2);
    // Nor is the first one done before the second one comes.
    const successor = supervisorsOf(served).at(-1) ?? 0;
    process.kill(successor, 'SIGSTOP');
    const second = await postern('restart').finally(() => process.kill(successor, 'SIGCONT'));
    expect([second.status, second.stderr]).toEqual([
      1,
      expect.stringContaining('a restart is under way already'),
    ]);
    expect((await first).status).toBe(0);
  });
});

describe('stale-configuration', () => {
  const portShown = async () =>
    /Port (\d+)/.exec((await ssh(target, 'ssh-config', { key: admin })).text)?.[1];

  it('a worker that takes the place of one that died has what was reloaded since', async () => {
    await configure({ workers: 1, publicPort: 4022 });
    expect((await postern('reload')).text).toContain('publicPort');
    expect(await portShown()).toBe('4022');
    const [worker = 0] = servingWorkers(served);
    process.kill(worker, 'SIGKILL');
    await until(() => servingWorkers(served).some((pid) => pid !== worker));
    expect(await portShown()).toBe('4022');
  });

  it('a worker of before a restart has that of after it', async () => {
    const prompt = await openPrompt(target, admin);
    await configure({ workers: 1, publicPort: 5022 });
    expect((await postern('restart')).status).toBe(0);
    await prompt.ask('ssh-config', /Port 5022/);
    prompt.child.stdin?.write('exit\r');
    await prompt.left;
  });
});

describe('what outlives a restart in a worker', () => {
  it('of HTTP connections is answered once more, and then told to come again elsewhere', async () => {
    const port = await freePort();
    await configure({ workers: 1, httpListen: `127.0.0.1:${port}` });
    expect((await postern('restart')).status).toBe(0);
    const caller = call(port);
    const ask = () => caller.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    ask();
    await until(() => caller.heard().includes('200 OK'));
    expect(caller.heard()).toMatch(/connection: keep-alive/i);
    expect((await postern('restart')).status).toBe(0);
    ask();
    await until(() => caller.isClosed());
    expect(caller.heard().split('200 OK')).toHaveLength(3);
    expect(caller.heard()).toMatch(/connection: close/i);
  });

  it('of strangers is penalised as before', async () => {
    await configure({ workers: 1, perSourcePenalties: { noauthSeconds: 60 } });
    expect((await postern('restart')).status).toBe(0);
    const caller = call(served.port, '127.0.0.9');
    await until(() => caller.heard().startsWith('SSH-2.0-'));
    expect((await postern('restart')).status).toBe(0);
    caller.socket.destroy();
    await until(async () => (await postern('penalty', 'list')).text.includes('127.0.0.9'));
  });
});
