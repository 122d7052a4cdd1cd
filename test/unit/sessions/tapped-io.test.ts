import { getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { tapIo } from '../../../src/sessions/tapped-io.ts';

it('a session that waits for the disk again and again gathers no listeners', async () => {
  const closing = new AbortController();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdout.resume();
  const wait = () => new Promise<void>((resolve) => setImmediate(resolve));
  const { io, flushed } = tapIo(
    { stdin, stdout, stderr, onWindowChange: () => {}, onSignal: () => {}, closed: closing.signal },
    { input: wait, output: wait, errors: wait, resized: () => {}, end: () => {} },
    closing.signal,
  );
  const listeners = () => getEventListeners(closing.signal, 'abort').length;
  const before = listeners();
  io.stdin.resume();
  for (let count = 0; count < 100; count++) {
    await new Promise((resolve) => stdin.write('typed', resolve));
    await new Promise((resolve) => io.stdout.write('shown', resolve));
  }
  expect(listeners()).toBeLessThan(before + 5);
  await flushed();
});
