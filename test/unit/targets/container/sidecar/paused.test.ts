/** A container that is paused (`docker pause`, `docker commit`) for longer than the two ends wait for each other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { freshMs, greet, speak } from '../../../../../src/targets/container/sidecar/inside-connection.ts';

const program = new URL('../../../../support/answers-process.ts', import.meta.url).pathname;
const lookEveryMs = 250;
/** Of one that is paused no more the first answer is waited for this long: a busy machine has others to run, too. */
const pingEveryMs = 700;
/** More than nine looks, and than four pings. */
const pausedMs = 3_500;

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

async function connect() {
  child = spawn(process.execPath, [program, String(lookEveryMs)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const stdio = Duplex.from({ readable: child.stdout!, writable: child.stdin! });
  stdio.on('error', () => {});
  return { stdio, session: await greet(stdio) };
}

async function open(isPaused: () => Promise<boolean>) {
  const { session, stdio } = await connect();
  return speak(session, stdio, () => {}, { isPaused, pingEveryMs });
}

it('what was begun there goes on afterwards, at both ends', async () => {
  let isPaused = true;
  const inside = await open(async () => isPaused);
  child?.kill('SIGSTOP');
  await pause(pausedMs);
  expect(inside.isOpen).toBe(true);
  // The engine says so before the first answer has come.
  isPaused = false;
  child?.kill('SIGCONT');
  await pause(6 * pingEveryMs);
  expect([inside.isOpen, (await inside.ask('/hello')).headers[':status']]).toEqual([true, 200]);
  inside.close();
  await expect.poll(() => child?.exitCode).toBe(0);
});

it('who is silent in a container that is not paused is left', async () => {
  const inside = await open(async () => false);
  child?.kill('SIGSTOP');
  await expect.poll(() => inside.isOpen).toBe(false);
});

it('who answered while this process could not read has answered; who says nothing has not', async () => {
  const { session, stdio } = await connect();
  const inside = speak(session, stdio, () => {});
  await pause(2 * freshMs);
  const whether = inside.answers(100);
  // Until it is read again that the other end has answered, the time is over.
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000));
  expect(await whether).toBe(true);
  child?.kill('SIGSTOP');
  await pause(2 * freshMs);
  expect(await inside.answers(100)).toBe(false);
});

it('who has a gateway that says nothing any more ends', async () => {
  await connect();
  await expect.poll(() => child?.exitCode).toBe(0);
});
