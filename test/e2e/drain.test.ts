/** SIGTERM: what runs comes to its own end, nobody else is let in, and people at terminals are told. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineHost, removeContainer, startContainer } from '../support/engine.ts';
import { isRunning, servingWorkers, supervisorsOf } from '../support/processes.ts';
import { type Served, serve, serveArgs, targetIn } from '../support/served.ts';
import {
  type KeyPair,
  makeKeyPair,
  runProgram,
  type SshTarget,
  spawnSsh,
  ssh,
  sshArguments,
} from '../support/ssh-client.ts';

let folder: string;
let admin: KeyPair;
let served: Served;
let target: SshTarget;
let exited: Promise<unknown[]>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-drain-'));
  admin = await makeKeyPair();
});
afterEach(async () => {
  served?.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 30_000, interval: 20 });

async function start(...flags: string[]): Promise<void> {
  served = await serve(folder, [`--admin-key=${admin.file}.pub`, '--log-level=info', ...flags]);
  exited = once(served.child, 'exit');
  target = await targetIn(folder, served.port);
}

async function drain(): Promise<void> {
  served.child.kill('SIGTERM');
  await until(() => served.printed().includes('nobody is let in any more'));
}

/** What a child has printed so far, on either stream. */
function shownBy(child: ChildProcess): () => string {
  let shown = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      shown += chunk;
    });
  }
  return () => shown;
}

async function openPrompt() {
  const child = spawnSsh(target, undefined, { key: admin, args: ['-tt'] });
  const left = once(child, 'close');
  const shown = shownBy(child);
  await until(() => shown().includes('▶'));
  return { child, left, shown };
}

const portOf = (what: string) => new RegExp(`${what} .*127\\.0\\.0\\.1:(\\d+)`).exec(served.printed())?.[1];

describe('SIGTERM', () => {
  it('lets a program run to its end, adds nothing to its output, and then the gateway ends at once', async () => {
    const container = await startContainer({ network: 'none' });
    await start(`--docker=${engineHost()}`);
    const login = `rexec-${container.name}`;
    const running = spawnSsh(target, 'echo begun; sleep 2; echo out; echo err >&2; exit 7', {
      key: admin,
      login,
    });
    const left = once(running, 'close');
    const shown = shownBy(running);
    await until(() => shown().includes('begun'));
    await drain();
    expect(await left).toEqual([7, null]);
    expect(shown().split('\n').sort()).toEqual(['', 'begun', 'err', 'out']);
    expect(await exited).toEqual([0, null]);
    await removeContainer(container);
  });

  it('is told on the terminal of a prompt, which goes on until its user leaves', async () => {
    await start();
    const { child, left, shown } = await openPrompt();
    await drain();
    await until(() =>
      shown().includes('postern: the gateway is about to stop; this session will be ended in 30 s,'),
    );
    child.stdin?.write('whoami\r');
    await until(() => shown().includes('Account: admin'));
    child.stdin?.write('exit\r');
    expect(await left).toEqual([0, null]);
    expect(await exited).toEqual([0, null]);
  });

  it('lets nobody in, by ssh or HTTP, and readiness says why', async () => {
    await start('--health-listen=127.0.0.1:0', '--http-listen=127.0.0.1:0');
    const health = `http://127.0.0.1:${portOf('Health')}/readyz`;
    const { child, left } = await openPrompt();
    expect((await runProgram('curl', ['-s', health])).text).toContain('"status":"ok"');
    await drain();
    const refused = await ssh(target, 'whoami', { key: admin });
    expect(refused.status).toBe(255);
    expect(refused.stderr).toContain('Connection refused');
    const http = await runProgram('curl', ['-s', `http://127.0.0.1:${portOf('Commands')}/healthz`]);
    expect(http.status).toBe(7);
    const ready = await runProgram('curl', ['-s', '-w', ' %{http_code}', health]);
    expect(ready.text).toMatch(/^\{"status":"draining".*\} 503$/);
    child.kill();
    await left;
    expect(await exited).toEqual([0, null]);
  });

  it('lets people in for the drain delay, while readiness says that it drains; a second signal ends that, too', async () => {
    await start('--drain-delay=600', '--health-listen=127.0.0.1:0');
    served.child.kill('SIGTERM');
    await until(() => served.printed().includes('about to drain'));
    const health = `http://127.0.0.1:${portOf('Health')}/readyz`;
    expect((await runProgram('curl', ['-s', '-w', ' %{http_code}', health])).text).toMatch(/draining.* 503$/);
    expect((await ssh(target, 'whoami', { key: admin })).status).toBe(0);
    await vi.waitUntil(
      () => {
        served.child.kill('SIGTERM');
        return served.printed().includes('"drained"');
      },
      { timeout: 30_000, interval: 700 },
    );
    expect(await exited).toEqual([0, null]);
  });

  it('is told by readiness of the HTTP listener for the drain delay, by each worker, one that is started meanwhile too', async () => {
    await start('--drain-delay=600', '--http-listen=127.0.0.1:0', '--workers=2');
    await until(() => servingWorkers(served).length === 2);
    const [killed = 0] = servingWorkers(served);
    const ask = async (...how: string[]) => {
      const url = `http://127.0.0.1:${portOf('Commands')}/readyz`;
      return (await runProgram('curl', ['-s', '-w', ' %{http_code}', ...how, url])).text;
    };
    // Whichever has the fewest connections answers.
    const askAll = () => Promise.all(Array.from({ length: 4 }, () => ask()));
    expect(await ask()).toMatch(/"status":"ok".* 200$/);
    served.child.kill('SIGTERM');
    await until(() => served.printed().includes('about to drain'));
    await vi.waitUntil(async () => (await ask()).endsWith(' 503'), { timeout: 30_000, interval: 20 });
    for (const answer of await askAll()) expect(answer).toMatch(/"status":"draining".* 503$/);
    // As balancers ask.
    for (const how of [['-H', 'Connection: close'], ['--http1.0']])
      expect(await ask('--max-time', '9', ...how)).toMatch(/"status":"draining".* 503$/);
    process.kill(killed, 'SIGKILL');
    await until(() => servingWorkers(served).filter((pid) => pid !== killed).length === 2);
    for (const answer of await askAll()) expect(answer).toMatch(/"status":"draining".* 503$/);
    // Nor does anything of it outlive its keeper.
    const [supervisor = 0] = supervisorsOf(served);
    served.child.kill('SIGKILL');
    await until(() => !isRunning(supervisor));
  });

  it('ends what still runs when the drain timeout is over, with a sentence', async () => {
    await start('--drain-timeout=1');
    const { left, shown } = await openPrompt();
    await drain();
    expect(await left).toEqual([255, null]);
    expect(shown()).toContain('this session will be ended in 1 s,');
    expect(shown()).toContain('postern: the gateway is shutting down.');
    expect(await exited).toEqual([0, null]);
  });

  it('a second time ends the wait', async () => {
    await start();
    const { left } = await openPrompt();
    await drain();
    // Before that it is taken for the same signal, passed on by npm.
    await vi.waitUntil(
      () => {
        served.child.kill('SIGTERM');
        return served.printed().includes('"drained"');
      },
      { timeout: 30_000, interval: 700 },
    );
    await left;
    expect(await exited).toEqual([0, null]);
  });

  it('a ControlMaster with nothing in it is disconnected, and delays nothing', async () => {
    await start();
    const path = join(folder, 'mux');
    const mux = ['-o', `ControlPath=${path}`];
    const args = ['-M', '-N', ...mux];
    const master = spawnSsh(target, undefined, { key: admin, args });
    const left = once(master, 'close');
    const check = () => runProgram('ssh', [...sshArguments(target, { args: mux }), '-O', 'check', 'x']);
    await vi.waitUntil(async () => (await check()).status === 0, { timeout: 30_000, interval: 50 });
    await drain();
    expect((await left)[0]).toBe(255);
    expect(await exited).toEqual([0, null]);
  });

  it('drain-held-open: strangers who say nothing or half of it, by ssh or HTTP, delay nothing', async () => {
    await start('--http-listen=127.0.0.1:0');
    const silent = connect(served.port, '127.0.0.1');
    const slow = connect(Number(portOf('Commands')), '127.0.0.1');
    const refused = connect(Number(portOf('Commands')), '127.0.0.1');
    refused.write('POST /exec HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nwho');
    await Promise.all([once(silent, 'data'), once(slow, 'connect'), once(refused, 'data')]);
    slow.write('POST /exec HTTP/1.1\r\nHost: x\r\nX-');
    for (const socket of [silent, slow, refused]) socket.on('error', () => {}).resume();
    const before = performance.now();
    served.child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(performance.now() - before).toBeLessThan(15_000);
  });
});

describe('a terminal that is closed', () => {
  it('ends the gateway that was started in it, though it sends SIGHUP', async () => {
    const script = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
seen = b''
while b'Host key ssh-rsa' not in seen: seen += os.read(terminal, 4096)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
    const args = ['-c', script, process.execPath, ...serveArgs(folder)];
    const outcome = await runProgram('python3', args);
    expect([outcome.text, outcome.stderr]).toEqual(['0\n', '']);
  });
});

describe('SIGINT', () => {
  it('does not wait for anybody', async () => {
    await start();
    const { left, shown } = await openPrompt();
    served.child.kill('SIGINT');
    expect(await left).toEqual([255, null]);
    expect(shown()).toContain('postern: the gateway is shutting down.');
    expect(await exited).toEqual([0, null]);
  });
});
