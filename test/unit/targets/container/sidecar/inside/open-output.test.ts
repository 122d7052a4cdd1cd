import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import {
  type Output,
  openOutput,
  roomBytes,
} from '../../../../../../src/targets/container/sidecar/inside/open-output.ts';
import {
  createPipeSource,
  type PipeSource,
} from '../../../../../../src/targets/container/sidecar/inside/pipes.ts';

const pipeBytes = 64 * 1024;

let pipes: PipeSource;

beforeAll(() => {
  pipes = createPipeSource(['/bin/sh']);
});
afterAll(async () => {
  // It ends with what it waits for.
  for (const pipe of await pipes.take()) for (const fd of [pipe.read, pipe.write]) closeSync(fd);
});

/** What the script writes to its stdout, from our end of a real pipe. */
async function outputOf(script: string): Promise<Output> {
  const [unused, output, errors] = await pipes.take();
  spawn('/bin/sh', ['-c', script], { stdio: ['ignore', output.write, 'ignore'] });
  for (const fd of [unused.read, unused.write, output.write, errors.read, errors.write]) closeSync(fd);
  return openOutput(output.read);
}

/** All pieces, kept as they came until the end, without the room before them. */
async function piecesOf({ socket, carry }: Output, see: (piece: Buffer) => void = () => {}) {
  const pieces: Buffer[] = [];
  carry((piece) => {
    see(piece);
    pieces.push(piece.subarray(roomBytes));
  });
  await once(socket, 'close');
  return pieces;
}

const lines = (count: number) =>
  Buffer.from(Array.from({ length: count }, (_, index) => `${index + 1}\n`).join(''));

it('all that a pipe holds is one piece with room before it, and no byte is lost or changed', async () => {
  const output = await outputOf('seq 1 400000');
  const hash = createHash('sha256');
  const sizes: number[] = [];
  output.carry((piece, release) => {
    // The room is the taker's.
    piece.fill(0xff, 0, roomBytes);
    sizes.push(piece.length - roomBytes);
    hash.update(piece.subarray(roomBytes));
    release();
  });
  await once(output.socket, 'close');
  expect(hash.digest('hex')).toBe(createHash('sha256').update(lines(400_000)).digest('hex'));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(pipeBytes);
  expect(Math.max(...sizes)).toBeGreaterThan(pipeBytes / 4);
});

it('overtaken-piece: what is not released stays as it was, however much is read meanwhile', async () => {
  const output = await outputOf('seq 1 400000');
  expect(Buffer.concat(await piecesOf(output)).equals(lines(400_000))).toBe(true);
});

it('what is released is used again, by other programs, too', async () => {
  const places = new Set<ArrayBufferLike>();
  for (let turn = 0; turn < 4; turn++) {
    const { socket, carry } = await outputOf('head -c 4000000 /dev/zero');
    carry((piece, release) => {
      if (piece.length > pipeBytes / 2) places.add(piece.buffer);
      process.nextTick(release);
    });
    await once(socket, 'close');
  }
  expect(places.size).toBeGreaterThan(0);
  expect(places.size).toBeLessThan(8);
});

it('what is written before anybody takes it waits', async () => {
  const output = await outputOf('echo early');
  await sleep(50);
  expect(Buffer.concat(await piecesOf(output)).toString()).toBe('early\n');
});

it('many short pieces do not hold a whole buffer each', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-pieces-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // The next one only when the last has come: else a busy reader finds all of them in one piece.
  const output = await outputOf(
    `for n in 1 2 3 4 5 6; do echo $n; until [ -e ${folder}/$n ]; do sleep 0.01; done; done`,
  );
  const held = new Set<ArrayBufferLike>();
  const pieces = await piecesOf(output, (piece) => {
    held.add(piece.buffer);
    writeFileSync(join(folder, String(piece.subarray(roomBytes)).trim()), '');
  });
  expect(pieces.map(String)).toEqual(['1\n', '2\n', '3\n', '4\n', '5\n', '6\n']);
  expect(held.size).toBeLessThan(pieces.length);
});

it('output that is paused is not read any more', async () => {
  const { socket, carry } = await outputOf('yes');
  let pieces = 0;
  carry((_piece, release) => {
    pieces++;
    release();
    socket.pause();
  });
  await expect.poll(() => pieces).toBe(1);
  await sleep(100);
  expect(pieces).toBe(1);
  expect(socket.readableLength).toBe(0);
  socket.destroy();
});
