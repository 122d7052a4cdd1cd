/** Sessions over a channel as the real ssh sees them: nothing lost, nothing unbounded, nothing hanging. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BareDoor, echo, openBareDoor, written } from '../support/bare-door.ts';
import { connectRaw } from '../support/raw-client.ts';
import { spawnSsh } from '../support/ssh-client.ts';

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor();
});
beforeEach(() => {
  door.handler = async () => ({ exitStatus: 0 });
});
afterAll(() => door.close());

const rawClient = async () => connectRaw(door.port, { privateKey: await readFile(door.key.file) });
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

describe('what a program writes', () => {
  it('exit-status: each of 0…255 reaches the client', async () => {
    door.handler = async ({ start }) => ({ exitStatus: start.kind === 'exec' ? Number(start.command) : -1 });
    const client = await rawClient();
    for (let status = 0; status <= 255; status++) {
      const seen = await new Promise((resolve) =>
        client.exec(String(status), (_error, stream) => stream.on('exit', resolve).resume()),
      );
      expect(seen).toBe(status);
    }
    client.end();
    expect((await door.ssh('254')).status).toBe(254);
  });

  it('exit-signal is told as such', async () => {
    door.handler = async () => ({ exitSignal: 'TERM', message: 'ended' });
    expect((await door.ssh('x', { args: ['-o', 'LogLevel=INFO'] })).status).toBe(255);
  });

  it('stderr-data: both outputs arrive apart and whole, before the status, even written at once', async () => {
    door.handler = async (_request, io) => {
      io.stdout.write('out');
      io.stderr.write('err');
      return { exitStatus: 3 };
    };
    const outcome = await door.ssh('x');
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['out', 'err', 3]);
  });

  it('exit-after-100MB-of-output: everything is delivered before the status', async () => {
    const chunk = randomBytes(1024 * 1024);
    door.handler = async (_request, io) => {
      for (let n = 0; n < 100; n++) await written(io, chunk);
      return { exitStatus: 7 };
    };
    const outcome = await door.ssh('x', { timeoutMs: 60_000 });
    expect(outcome.status).toBe(7);
    expect(outcome.stdout.length).toBe(100 * chunk.length);
    expect(sha256(outcome.stdout)).toBe(sha256(Buffer.concat(Array.from({ length: 100 }, () => chunk))));
  });

  it('stdout and stderr both waiting for window: nothing is doubled, lost or stuck', async () => {
    const out = randomBytes(8 * 1024 * 1024);
    const err = Buffer.alloc(8 * 1024 * 1024, 'e');
    door.handler = async (_request, io) => {
      await Promise.all([written(io, out), written(io, err, 'stderr')]);
      return { exitStatus: 0 };
    };
    const outcome = await door.ssh('x');
    expect(sha256(outcome.stdout)).toBe(sha256(out));
    expect(outcome.stderr.length).toBe(err.length);
  });

  it('a client that stops reading stops the program: little is taken off its hands', async () => {
    let taken = 0;
    door.handler = async (_request, io) => {
      const chunk = Buffer.alloc(256 * 1024);
      while (!io.closed.aborted) {
        await written(io, chunk);
        taken += chunk.length;
      }
      return { exitStatus: 0 };
    };
    const child = spawnSsh(door, 'x', { key: door.key });
    child.stdout?.pause();
    await expect.poll(() => taken).toBeGreaterThan(0);
    await sleep(1_000);
    child.kill('SIGSTOP');
    const takenInASecond = async () => {
      const before = taken;
      await sleep(1_000);
      return taken - before;
    };
    await expect.poll(takenInASecond).toBe(0);
    expect(taken).toBeLessThan(24 * 1024 * 1024);
    child.kill('SIGKILL');
  });

  it('yes-head: when the client leaves early, the program is told and the session ends', async () => {
    let ended = false;
    door.handler = async (_request, io) => {
      while (!io.closed.aborted) await written(io, 'y\n'.repeat(1000));
      ended = true;
      return { exitStatus: 0 };
    };
    const child = spawnSsh(door, 'yes', { key: door.key });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.stdout?.destroy();
    const started = Date.now();
    await new Promise((resolve) => child.once('exit', resolve));
    expect(Date.now() - started).toBeLessThan(15_000);
    await expect.poll(() => ended).toBe(true);
  });
});

describe('what a client sends', () => {
  it('late-accept: a handler that starts reading late gets every byte and the EOF', async () => {
    door.handler = async (request, io) => {
      await sleep(300);
      return echo(request, io);
    };
    const sent = randomBytes(1024 * 1024);
    const outcome = await door.ssh('x', { stdin: sent });
    expect(sha256(outcome.stdout)).toBe(sha256(sent));
  });

  it('eof-in-flight: data and EOF that arrive with the request itself are not lost', async () => {
    door.handler = echo;
    for (let n = 0; n < 20; n++) expect((await door.ssh('x', { stdin: 'x' })).text).toBe('x');
  });

  it('stdin-eof: the end of input passes', async () => {
    door.handler = echo;
    expect((await door.ssh('cat', { stdin: 'hi\n' })).text).toBe('hi\n');
  });

  it('20 MB up and down at once keep their hash', async () => {
    door.handler = echo;
    const sent = randomBytes(20 * 1024 * 1024);
    expect(sha256((await door.ssh('x', { stdin: sent, timeoutMs: 60_000 })).stdout)).toBe(sha256(sent));
  });

  it('a handler that does not read makes the client wait, not the gateway grow', async () => {
    const released = Promise.withResolvers<void>();
    let buffered = () => 0;
    door.handler = async (_request, io) => {
      buffered = () => io.stdin.readableLength;
      await released.promise;
      return { exitStatus: 0 };
    };
    const child = spawnSsh(door, 'x', { key: door.key });
    let accepted = 0;
    child.stdin?.on('error', () => {});
    const timer = setInterval(() => {
      while (child.stdin && accepted < 64 * 1024 * 1024 && child.stdin.write(Buffer.alloc(65536)))
        accepted += 65536;
    }, 5);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await expect.poll(() => buffered()).toBeGreaterThan(0);
    await sleep(1_500);
    const held = buffered();
    released.resolve();
    await exited;
    clearInterval(timer);
    expect(held).toBeLessThanOrEqual(2 * 1024 * 1024);
  });
});

describe('the life cycle', () => {
  it('a killed client closes its sessions at once', async () => {
    let gone = 0;
    const started = new Promise<void>((resolve) => {
      door.handler = async (_request, io) => {
        resolve();
        await new Promise((abort) => io.closed.addEventListener('abort', abort));
        gone = Date.now();
        return { exitStatus: 0 };
      };
    });
    const child = spawnSsh(door, 'x', { key: door.key });
    await started;
    child.kill('SIGKILL');
    const killedAt = Date.now();
    while (gone === 0 && Date.now() - killedAt < 5_000) await sleep(10);
    expect(gone).toBeGreaterThan(0);
  });

  it('a client that vanishes without a word is noticed by keepalive', async () => {
    const strict = await openBareDoor({ keepaliveIntervalMs: 1_000, keepaliveCountMax: 3 });
    let gone = false;
    const started = new Promise<void>((resolve) => {
      strict.handler = async (_request, io) => {
        resolve();
        await new Promise((abort) => io.closed.addEventListener('abort', abort));
        gone = true;
        return { exitStatus: 0 };
      };
    });
    const child = spawnSsh(strict, 'x', { key: strict.key });
    await started;
    child.kill('SIGSTOP');
    await expect.poll(() => gone, { timeout: 20_000 }).toBe(true);
    child.kill('SIGKILL');
    await strict.close();
  });

  it('the env and the pty a client asks for reach the session', async () => {
    door.handler = async (request, io) => {
      const { term, size } = request.pty ?? { term: '', size: undefined };
      await written(io, JSON.stringify({ term, columns: size?.columns, lang: request.env.get('LC_TEST') }));
      return { exitStatus: 0 };
    };
    const args = ['-tt', '-o', 'SetEnv=LC_TEST=hé'];
    const outcome = await door.ssh('x', { args, env: { TERM: 'xterm-256color' } });
    expect(JSON.parse(outcome.text)).toEqual({
      term: 'xterm-256color',
      columns: expect.any(Number),
      lang: 'hé',
    });
  });
});
