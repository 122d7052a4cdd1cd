/** What a restart might lose, refuse or forget of the connections that are open. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, callPort } from '../support/caller.ts';
import { openPrompt } from '../support/open-prompt.ts';
import { isListening, supervisorsOf, until } from '../support/processes.ts';
import { main, type Served, serve, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram } from '../support/ssh-client.ts';

let folder: string;
let file: string;
let served: Served;
let admin: KeyPair;
const proxy = '127.0.0.8';
const configure = (values: Record<string, unknown> = {}) =>
  writeFile(file, JSON.stringify({ workers: 1, proxyProtocolFrom: [proxy], ...values }));
const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-restarts-'));
  file = join(folder, 'postern.json');
  await configure();
  admin = await makeKeyPair();
  served = await serve(folder, [`--admin-key=${admin.file}.pub`, `--config=${file}`]);
});
afterAll(async () => {
  served.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

describe('connections of a proxy whose header comes in the middle of a hand-over', () => {
  it('are served', async () => {
    const [supervisor = 0] = supervisorsOf(served);
    const restarted = postern('restart');
    // A header has 5 s: nobody waits for as long as a restart may take to prepare.
    const callers: (Caller & { readonly since: number })[] = [];
    while (isListening(supervisor, served.port)) {
      const since = performance.now();
      if (since - (callers.at(-1)?.since ?? 0) >= 200)
        callers.push({ ...callPort(served.port, proxy), since });
      await pause(20);
    }
    const silent = callers.at(-2);
    // On a busy machine there is more time between them, and that of those before these may be over.
    const young = Math.min(performance.now() - 2_000, callers.at(-1)?.since ?? 0);
    const late = callers.filter((caller) => caller !== silent && caller.since >= young);
    expect(late.length).toBeGreaterThan(0);
    for (const { socket } of late) socket.write('PROXY TCP4 198.51.100.7 198.51.100.1 50123 2222\r\n');
    await until(() => late.every(({ heard, isClosed }) => heard().startsWith('SSH-2.0-') || isClosed()));
    expect(late.filter(({ isClosed }) => isClosed())).toEqual([]);
    // One that says nothing holds nobody up.
    expect((await restarted).status).toBe(0);
    await until(() => silent?.isClosed());
    for (const { socket } of callers) socket.destroy();
  });
});

describe('more than a limit allows, by way of a restart or a crash', () => {
  const isRefused = async (from: string) => {
    const caller = callPort(served.port, from);
    await until(() => caller.isClosed() || caller.heard() !== '');
    caller.socket.destroy();
    return caller.heard() === '';
  };
  /** More often than those linger that were let in before it was. */
  const isRefusedAlways = async (from: string) => {
    for (let time = 0; time < 5; time++) {
      if (!(await isRefused(from))) return false;
      await pause(50);
    }
    return true;
  };
  const crash = async () => {
    const [supervisor = 0] = supervisorsOf(served);
    process.kill(supervisor, 'SIGKILL');
    await until(() => !supervisorsOf(served).includes(supervisor));
    await until(async () => (await postern('session', 'list')).status === 0);
  };

  it('is refused: strangers in workers of before count for their address', async () => {
    const from = '127.0.0.9';
    await configure({ perSourceMaxStartups: 2, perSourcePenalties: { noauthSeconds: 0 } });
    expect((await postern('reload')).status).toBe(0);
    const callers = [callPort(served.port, from), callPort(served.port, from)];
    await until(() => callers.every(({ heard }) => heard().startsWith('SSH-2.0-')));
    expect((await postern('restart')).status).toBe(0);
    await until(() => isRefusedAlways(from));
    await crash();
    await until(() => isRefusedAlways(from));
    expect(callers.filter(({ isClosed }) => isClosed())).toEqual([]);
    callers[0]?.socket.destroy();
    await until(async () => !(await isRefused(from)));
    callers[1]?.socket.destroy();
  });
});

it('a restart with --timeout ends what is left in workers of before with a sentence', async () => {
  const target = await targetIn(folder, served.port);
  // On a busy machine one that was not ready in time may have been.
  const diedBefore = await postern('audit', '--event=worker-died');
  expect((await postern('restart', '--timeout=0')).status).toBe(2);
  const older = await openPrompt(target, admin);
  expect((await postern('restart')).status).toBe(0);
  const prompt = await openPrompt(target, admin);
  const restarted = await postern('restart', '--timeout=3');
  expect([restarted.text, restarted.status]).toEqual([expect.stringContaining('stays open for 3 s'), 0]);
  // Those of restarts before that one, too.
  for (const each of [prompt, older]) {
    await each.left;
    expect(each.shown()).toContain('the gateway was restarted, and the time for what was open is over');
  }
  await until(() => supervisorsOf(served).length === 1);
  const died = await postern('audit', '--event=worker-died');
  expect([died.status, died.text]).toEqual([0, diedBefore.text]);
});
