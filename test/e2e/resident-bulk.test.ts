/** Programs that move much: nothing is lost, and nothing of it holds up the gateway. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SessionHandler } from '../../src/sessions/session.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { countProcesses, until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { residentSession } from '../support/residents.ts';
import { runSession, startSession } from '../support/session-io.ts';

const bulk = 'head -c 4000000 /dev/zero';
const nothing = () => new Writable({ write: (_chunk, _encoding, done) => done() });

let container: TestContainer;
let engine: ContainerEngine;
let session: SessionHandler;
beforeAll(async () => {
  container = await runContainer(images.debian);
  engine = createTestEngine({ hangupGraceMs: 5_000 });
  session = await residentSession(engine, container, 'app');
});
afterAll(async () => {
  await engine.close();
  await container.remove();
});

/** Names of the pipes that this process has open. */
const ourPipes = () =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return [];
    }
  });

it('input that a background child could still read holds up none of the programs that follow', async () => {
  // More than the pipe and the resident hold, and less than is under way: it has all gone when the program exits.
  const stdin = Buffer.alloc(300_000);
  for (let turn = 0; turn < 3; turn++) {
    const { end } = await runSession(session, 'exec 3<&0; sleep 5 >/dev/null 2>&1 & exit 3', { stdin });
    expect(end).toEqual({ exitStatus: 3 });
    expect(await runSession(session, 'cat', { stdin: 'next' })).toMatchObject({ stdout: 'next' });
  }
});

it('the gateway opens no pipe of a program, however much passes', async () => {
  const running = startSession(session, `${bulk}; readlink /proc/$$/fd/1; read line; exit 3`);
  const text = await running.saw(/pipe:\[\d+\]/);
  const [pipe = ''] = /pipe:\[\d+\]/.exec(text) ?? [];
  expect(ourPipes()).not.toContain(pipe);
  running.stdin.end('go\n');
  expect(await running.end).toEqual({ exitStatus: 3 });
});

it('what goes both ways at once is whole, with stderr and the status', async () => {
  const sent = randomBytes(12_000_000);
  const running = startSession(session, 'tee /dev/stderr; echo end; exit 5', { stdin: sent });
  expect(await running.end).toEqual({ exitStatus: 5 });
  expect(running.stderr().equals(sent)).toBe(true);
  expect(running.stdout().equals(Buffer.concat([sent, Buffer.from('end\n')]))).toBe(true);
});

it('input that nobody reads any more holds nothing up', async () => {
  const command = 'head -c 3000000 >/dev/null; exec <&-; sleep 0.3; echo done';
  const { end, stdout } = await runSession(session, command, { stdin: Buffer.alloc(20_000_000) });
  expect(end).toEqual({ exitStatus: 0 });
  expect(stdout).toBe('done\n');
});

it('a background child that holds the output open does not hold the session', async () => {
  const begun = performance.now();
  const running = startSession(session, `${bulk}; sleep 20 & exit 4`, { stdin: '', stdout: nothing() });
  expect(await running.end).toEqual({ exitStatus: 4 });
  expect(performance.now() - begun).toBeLessThan(15_000);
});

it('vanished-downloader: the program ends with its client, be it at its output or its input', async () => {
  const [down, up] = [
    startSession(session, `${bulk}; echo ready >&2; sleep 4401`, { stdout: nothing() }),
    startSession(session, 'cat >/dev/null; sleep 4401', { stdin: Buffer.alloc(8_000_000) }),
  ];
  const running = () => countProcesses(container.id, '4401');
  expect(await until(async () => (await running()) >= 2, 30_000)).toBe(true);
  for (const each of [down, up]) each.vanish();
  expect(await until(async () => (await running()) === 0, 30_000)).toBe(true);
});

it('a program that goes on writing without its client meets no broken pipe', async () => {
  const command = `trap 'head -c 2000000 /dev/zero; echo $? >/tmp/told' HUP; ${bulk}; echo ready >&2; sleep 20 & wait`;
  const running = startSession(session, command, { stdout: nothing() });
  expect(await until(async () => running.stderr().includes('ready'), 30_000)).toBe(true);
  running.vanish();
  expect(await until(async () => (await container.sh('cat /tmp/told 2>/dev/null || :')) !== '', 30_000)).toBe(
    true,
  );
  expect((await container.sh('cat /tmp/told')).trim()).toBe('0');
});

it('held-pipe: who holds the pipe of a program locked holds up nobody but that program', async () => {
  // Linux keeps a pipe locked while it splices from a socket where nothing comes; who reads, opens or closes it waits.
  const splice = process.arch === 'arm64' ? 76 : 275;
  const hold = `use Socket; alarm 10; $| = 1; socketpair(A, B, AF_UNIX, SOCK_STREAM, 0); print "x" x 4_000_000;
    select(undef, undef, undef, 0.5); print STDERR "held"; syswrite(STDOUT, "y"); syscall(${splice}, fileno(A), 0, 1, 0, 4096, 0)`;
  const running = startSession(session, `exec perl -e '${hold}'`, { stdout: nothing() });
  let longestMs = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 20);
  expect(await until(async () => running.stderr().includes('held'), 40_000)).toBe(true);
  await pause(300);
  running.vanish();
  await running.end;
  await pause(300);
  clearInterval(watch);
  // Where it holds up this process, it does so until its alarm.
  expect(longestMs).toBeLessThan(6_000);
});
