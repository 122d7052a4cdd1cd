import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openOutput } from '../../../../../../src/targets/container/sidecar/inside/open-output.ts';
import {
  createPipeSource,
  type PipeSource,
} from '../../../../../../src/targets/container/sidecar/inside/pipes.ts';

const readAtOnceBytes = 64 * 1024;
const headersBytes = 16;

let pipes: PipeSource;

beforeAll(() => {
  pipes = createPipeSource(['/bin/sh']);
});
afterAll(async () => {
  // It ends with what it waits for.
  for (const pipe of await pipes.take()) for (const fd of [pipe.read, pipe.write]) closeSync(fd);
});

/** What the script writes to its stdout, from our end of a real pipe. */
async function outputOf(script: string): Promise<Socket> {
  const [unused, output, errors] = await pipes.take();
  spawn('/bin/sh', ['-c', script], { stdio: ['ignore', output.write, 'ignore'] });
  for (const fd of [unused.read, unused.write, output.write, errors.read, errors.write]) closeSync(fd);
  return openOutput(output.read);
}

it('a piece of output and both its headers are what is read at once, and no byte is lost or changed', async () => {
  const output = await outputOf('seq 1 400000');
  const hash = createHash('sha256');
  const sizes: number[] = [];
  for await (const piece of output) {
    sizes.push(piece.length);
    hash.update(piece);
  }
  const expected = Array.from({ length: 400_000 }, (_, index) => `${index + 1}\n`).join('');
  expect(hash.digest('hex')).toBe(createHash('sha256').update(expected).digest('hex'));
  expect(Math.max(...sizes) + headersBytes).toBeLessThanOrEqual(readAtOnceBytes);
});

it('pieces that wait keep what they were while more is read', async () => {
  const output = await outputOf('for n in 1 2 3 4 5 6; do echo $n; sleep 0.02; done');
  const pieces: Buffer[] = [];
  for await (const piece of output) pieces.push(piece);
  expect(pieces.join('')).toBe('1\n2\n3\n4\n5\n6\n');
});

it('many short pieces do not hold a whole buffer each', async () => {
  const output = await outputOf('for n in 1 2 3 4 5 6; do echo $n; sleep 0.02; done');
  const held = new Set<ArrayBufferLike>();
  let pieces = 0;
  for await (const piece of output) {
    held.add((piece as Buffer).buffer);
    pieces++;
  }
  expect(pieces).toBeGreaterThan(2);
  expect(held.size).toBeLessThan(pieces);
});

it('output that nobody takes is not read any more', async () => {
  const output = await outputOf('yes');
  output.resume();
  await new Promise((resolve) => output.once('data', resolve));
  output.pause();
  await sleep(100);
  expect(output.readableLength).toBeLessThan(4 * readAtOnceBytes);
  output.destroy();
});
