/** Lanes from end to end, over a real passage: the gateway's side and the resident's in one process. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Duplex, PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { takeAtOnce } from '../../../../../src/platform/lent-reads.ts';
import { createLanes } from '../../../../../src/targets/container/sidecar/inside/lanes.ts';
import type { ProgramStream } from '../../../../../src/targets/container/sidecar/inside/program-order.ts';
import { InsideLost, InsideRefusal } from '../../../../../src/targets/container/sidecar/inside-connection.ts';
import { openPassage } from '../../../../../src/targets/container/sidecar/open-passage.ts';
import { byConnection, open, openOver, run, runByLane } from './open-lanes.ts';

const frame = (kind: number, bytes: string) =>
  Buffer.concat([Buffer.from([kind, 0, 0, 0, 0, 0, 0, bytes.length]), Buffer.from(bytes)]);

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(1);
}

/** Answers with what came. */
async function echo(stream: ProgramStream): Promise<void> {
  stream.respond({ ':status': 200, 'x-pid': 7 }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'x-exit': 3 }));
  stream.pipe(stream);
}

/** Takes each piece at once, or some much later, and says where they lay. */
function take(stream: Duplex, isSlow: boolean) {
  const copies: Buffer[] = [];
  const places = new Set<ArrayBufferLike>();
  let turn = 0;
  const taker = new Writable({
    highWaterMark: 1024 * 1024,
    write(piece: Buffer, _encoding, done) {
      const copy = () => {
        copies.push(Buffer.from(piece));
        done();
      };
      places.add(piece.buffer);
      if (isSlow && turn++ % 8 === 0) setTimeout(copy, 2);
      else copy();
    },
  });
  takeAtOnce(stream, () => taker.writableLength === 0);
  stream.pipe(taker);
  return { places, whole: once(taker, 'finish').then(() => Buffer.concat(copies)) };
}

describe('a lane', () => {
  it('carries one program after the other', async () => {
    const { inside, asked } = await open(echo);
    for (let each = 0; each < 50; each++) {
      const { stream, headers, trailers } = await runByLane(inside, asked, `order ${each}, `);
      stream.end('and stdin');
      expect(headers).toEqual({ ':status': 200, 'x-pid': 7 });
      expect(await text(stream)).toBe(`order ${each}, and stdin`);
      expect(trailers()).toEqual({ 'x-exit': 3 });
    }
    expect(asked.filter((path) => path.startsWith('/lane')).length).toBeLessThanOrEqual(8);
    await until(() => inside.load === 0);
  });

  it('carries several at a time, where the others find no lane by the connection itself', async () => {
    const { inside, asked } = await open(echo);
    const first = await runByLane(inside, asked, 'first');
    const before = byConnection(asked);
    await run(inside, 'second');
    expect(byConnection(asked)).toBe(before + 1);
    const third = await runByLane(inside, asked, 'third');
    for (const { stream } of [first, third]) stream.end();
    expect(await Promise.all([text(first.stream), text(third.stream)])).toEqual(['first', 'third']);
  });

  it('carries 30 MB both ways, and holds no more of it than it should where nobody reads', async () => {
    const { inside } = await open(echo);
    const { stream } = await run(inside, '');
    const sent = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    const write = () => {
      while (written < 30_000_000 && stream.write(sent)) written += sent.length;
      if (written >= 30_000_000) stream.end();
    };
    stream.on('drain', write);
    write();
    await pause(200);
    expect(written).toBeLessThan(8 * 1024 * 1024);
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await once(stream, 'end');
    expect(received).toBeGreaterThanOrEqual(30_000_000);
  });

  it('lends what it reads to who takes it at once, and whatever they still hold stays as it came', async () => {
    const { inside, asked } = await open(echo);
    const sent = randomBytes(12_000_000);
    for (const isSlow of [false, true, false]) {
      const { stream } = await runByLane(inside, asked, '');
      const taken = take(stream, isSlow);
      stream.end(sent);
      expect((await taken.whole).equals(sent)).toBe(true);
      if (!isSlow) expect(taken.places.size).toBeLessThan(10);
    }
  });

  it('overtaken-input: what a program has not taken stays as it came, while more comes for it', async () => {
    const sent = randomBytes(12_000_000);
    for (const isSlow of [false, true]) {
      const came = Promise.withResolvers<Buffer>();
      const { inside } = await open(async (stream) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        const taken = take(stream, isSlow);
        came.resolve(taken.whole);
        await taken.whole;
        if (!isSlow) expect(taken.places.size).toBeLessThan(10);
        stream.end();
      });
      const { stream } = await run(inside, 'the order');
      stream.resume().end(sent);
      expect((await came.promise).equals(Buffer.concat([Buffer.from('the order'), sent]))).toBe(true);
    }
  });

  it('tells what could not be done by its code, and goes on', async () => {
    let tries = 0;
    const { inside, asked } = await open(async (stream) => {
      tries++;
      if (tries === 1) throw Object.assign(new Error('no'), { code: 'ENOENT' });
      await echo(stream);
    });
    await expect(run(inside)).rejects.toMatchObject({ code: 'ENOENT' });
    const { stream } = await runByLane(inside, asked, 'order');
    expect(await text(stream.end())).toBe('order');
    expect(tries).toBe(2);
  });

  it('cut-off: the program learns that the gateway has left it, also while it reads nothing', async () => {
    const closed = Promise.withResolvers<void>();
    const { inside, asked } = await open(async (stream) => {
      stream.once('close', closed.resolve);
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
    });
    const { stream, cancel } = await run(inside);
    for (let each = 0; each < 64; each++) stream.write(Buffer.alloc(64 * 1024));
    await pause(50);
    cancel();
    await closed.promise;
    expect(asked.at(-1)).toMatch(/^\/cut\?/);
    await until(() => inside.load === 0);
  });

  it('lost: where the resident is gone, so is what ran there', async () => {
    const { inside } = await open(async (stream) =>
      stream.respond({ ':status': 200 }, { waitForTrailers: true }),
    );
    const { stream, trailers } = await run(inside);
    inside.close();
    await once(stream, 'close');
    expect(trailers()).toBe(undefined);
  });
});

describe('a lane that did not come', () => {
  async function openRefusing(times: number, againMs: number) {
    const passage = await openPassage();
    const lanes = createLanes(echo);
    lanes.hold(join(passage.folder, 'socket'));
    let refused = 0;
    const lane = async (query: URLSearchParams) => {
      if (refused++ < times) throw new InsideRefusal('ENOENT');
      await lanes.open(Object.assign(new PassThrough(), { respond: () => {} }) as never, query);
    };
    return await openOver(passage, lane, undefined, { againMs });
  }
  const asksFor = (asked: readonly string[]) => asked.filter((path) => path.startsWith('/lane')).length;

  it('is asked for again some time later, and until then programs go by the connection', async () => {
    const { inside, asked } = await openRefusing(2, 20);
    await run(inside);
    expect(byConnection(asked)).toBe(1);
    const { stream } = await runByLane(inside, asked, 'order');
    expect(await text(stream.end())).toBe('order');
    expect(asksFor(asked)).toBeGreaterThanOrEqual(3);
  });

  it('is not asked for with each program', async () => {
    const { inside, asked } = await openRefusing(1, 60_000);
    for (let each = 0; each < 20; each++) await run(inside);
    expect([asksFor(asked), byConnection(asked)]).toEqual([1, 20]);
  });
});

describe('whoever speaks in a resident’s place', () => {
  it.each([
    ['what nobody has asked for', [frame(3, '{}'), frame(2, 'x')]],
    ['no frames', [Buffer.alloc(64, 0xff)]],
    ['fields that are none', [frame(1, 'null')]],
    ['odd-fields: what is no text', [frame(1, '{":status":200,"x-pid":{"toString":1}}')]],
    ['an answer that goes on and on', [Buffer.from([1, 0, 0, 0, 0, 1, 0, 0]), Buffer.alloc(8_192, ' ')]],
    ['a frame without an end', [Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])]],
  ])('%s: ends that lane, and nothing else', async (_what, said) => {
    const passage = await openPassage();
    let socket: Socket | undefined;
    const { inside, asked, hasLane } = await openOver(passage, async (query) => {
      socket = connect(join(passage.folder, 'socket'));
      socket.on('error', () => {}).resume();
      socket.write(`${query.get('token')}\n`);
    });
    await hasLane;
    const asking = run(inside);
    asking.catch(() => {});
    for (const each of said) socket?.write(each);
    await expect(asking).rejects.toThrow(InsideLost);
    expect(inside.isOpen).toBe(true);
    await until(() => asked.some((path) => path.startsWith('/cut')));
  });

  it('lane-left-behind: a lane that comes when it is not wanted any more is closed', async () => {
    const passage = await openPassage();
    let token: string | null = null;
    const { inside } = await openOver(passage, async (query) => {
      token = query.get('token');
    });
    inside.close();
    const socket = connect(join(passage.folder, 'socket'));
    const closed = once(socket.on('error', () => {}).resume(), 'close');
    socket.write(`${token}\n`);
    await closed;
  });
});
