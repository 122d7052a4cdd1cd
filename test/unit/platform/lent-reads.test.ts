import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  copiesAtOnce,
  keptBy,
  lentReads,
  readAnew,
  takeAtOnce,
  takeBy,
} from '../../../src/platform/lent-reads.ts';

const sent = randomBytes(4 * 1024 * 1024 + 5);

/** Connected to somebody who sends that, and ends. */
async function reader(bytes: Buffer): Promise<Socket> {
  const server = createServer((socket) => void socket.end(bytes)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const onread = lentReads(() => socket);
  const socket: Socket = connect({ port, host: '127.0.0.1', onread });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe('what a socket reads into a buffer of its own', () => {
  it('stays as it came with whoever keeps it', async () => {
    const socket = await reader(sent);
    const kept: Buffer[] = [];
    socket.on('data', (piece: Buffer) => kept.push(piece));
    await once(socket, 'end');
    expect(Buffer.concat(kept).equals(sent)).toBe(true);
  });

  it('lies in one place for whoever takes it at once', async () => {
    const socket = await reader(sent);
    const copies: Buffer[] = [];
    const places = new Set<ArrayBufferLike>();
    const taker = new Writable({
      write(piece: Buffer, _encoding, done) {
        copies.push(Buffer.from(piece));
        places.add(piece.buffer);
        done();
      },
    });
    takeAtOnce(socket, () => taker.writableLength === 0);
    socket.pipe(taker);
    await once(taker, 'finish');
    expect(Buffer.concat(copies).equals(sent)).toBe(true);
    // The small one of the beginning, and the large one.
    expect(places.size).toBeLessThanOrEqual(2);
  });

  it('is not written over while a slow taker still has it', async () => {
    const socket = await reader(sent);
    const copies: Buffer[] = [];
    let turn = 0;
    const slow = new Writable({
      write(piece: Buffer, _encoding, done) {
        const take = () => {
          copies.push(Buffer.from(piece));
          done();
        };
        // Some at once, some much later, when more could have been read.
        if (turn++ % 3 === 0) take();
        else setTimeout(take, turn % 10);
      },
    });
    takeAtOnce(socket, () => slow.writableLength === 0);
    socket.pipe(slow);
    await once(slow, 'finish');
    expect(Buffer.concat(copies).equals(sent)).toBe(true);
  });

  it('goes round while a slow taker still has the newest of it', async () => {
    const socket = await reader(sent);
    const copies: Buffer[] = [];
    const places = new Set<ArrayBufferLike>();
    const waiting: Buffer[] = [];
    let pieces = 0;
    let given = 0;
    const held = () => waiting.reduce((sum, { length }) => sum + length, 0);
    takeBy(socket, { settle: () => given, taken: () => given - held() });
    socket.on('data', (piece: Buffer) => {
      places.add(piece.buffer);
      pieces++;
      given += piece.length;
      waiting.push(piece);
      // Never all at once, so that there is no moment in which nothing waits.
      while (waiting.length > 2) copies.push(Buffer.from(waiting.shift() as Buffer));
    });
    await once(socket, 'end');
    expect(Buffer.concat([...copies, ...waiting]).equals(sent)).toBe(true);
    expect(pieces).toBeGreaterThan(20);
    expect(places.size).toBeLessThan(12);
  });

  it('that was read before anybody listened is whole', async () => {
    const words = randomBytes(100 * 1024);
    const socket = await reader(words);
    socket.read(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const kept: Buffer[] = [];
    takeAtOnce(socket, () => true);
    socket.on('data', (piece: Buffer) => kept.push(Buffer.from(piece)));
    await once(socket, 'end');
    expect(Buffer.concat(kept).equals(words)).toBe(true);
  });
});

/** Both ends of a connection; `near` is one that was accepted. */
async function accepted(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    far.destroy();
    near.destroy();
  });
  return { near, far };
}

/** What comes by a connection that was accepted goes to a stream of another, as frames of several do. */
async function acceptedReader(mostBytes: number) {
  const { near, far } = await accepted();
  const sizes: number[] = [];
  const reader = new Readable({ read() {} });
  const state: { reader: Readable | undefined } = { reader };
  const onread = lentReads(() => socket, { reader: () => state.reader, mostBytes });
  const socket = readAnew(near, onread) as Socket;
  onTestFinished(() => void socket.destroy());
  socket.on('data', (piece: Buffer) => {
    sizes.push(piece.buffer.byteLength);
    state.reader?.push(piece);
  });
  socket.on('end', () => state.reader?.push(null));
  return { socket, far, reader, state, sizes };
}

describe('a socket that was accepted, and is read anew', () => {
  it('brings all that comes, in buffers as large as are wanted, and takes what is sent', async () => {
    const { socket, far, reader, sizes } = await acceptedReader(256 * 1024);
    const copies: Buffer[] = [];
    takeAtOnce(reader, () => true);
    reader.on('data', (piece: Buffer) => copies.push(Buffer.from(piece)));
    far.end(sent);
    await once(reader, 'end');
    expect(Buffer.concat(copies).equals(sent)).toBe(true);
    expect(Math.max(...sizes)).toBe(256 * 1024);
    socket.end('an answer');
    expect(String(await buffer(far))).toBe('an answer');
  });

  it('holds little again when nobody reads bulk from it any more', async () => {
    const { far, reader, state, sizes } = await acceptedReader(256 * 1024);
    takeAtOnce(reader, () => true);
    let taken = 0;
    reader.on('data', (piece: Buffer) => {
      taken += piece.length;
    });
    far.write(Buffer.alloc(2 * 1024 * 1024));
    await expect.poll(() => taken).toBe(2 * 1024 * 1024);
    expect(sizes.at(-1)).toBe(256 * 1024);
    // As where the end of a program comes by a lane, and then the next program's output.
    reader.on('data', () => {
      state.reader = undefined;
    });
    far.write('the end');
    while (state.reader) await pause(1);
    reader.removeAllListeners('data').on('data', () => {});
    state.reader = reader;
    const { length } = sizes;
    far.write('the next');
    await expect.poll(() => sizes).toHaveLength(length + 1);
    expect(sizes.at(-1)).toBe(4 * 1024);
  });

  it('is none where something was read of it, or it is closed', async () => {
    const { near, far } = await accepted();
    near.resume();
    near.pause();
    far.write('early');
    while (near.readableLength === 0) await pause(1);
    const onread = lentReads(() => near);
    expect(readAnew(near, onread)).toBe(undefined);
    near.destroy();
    expect(readAnew(near, onread)).toBe(undefined);
  });
});

it('dripping-bulk: short pieces that nobody takes do not hold a large buffer each', async () => {
  const { far, reader, sizes } = await acceptedReader(256 * 1024);
  let isTaken = true;
  takeAtOnce(reader, () => isTaken);
  const kept: Buffer[] = [];
  reader.on('data', (piece: Buffer) => kept.push(piece));
  const keptBytes = () => kept.reduce((bytes, each) => bytes + each.length, 0);
  far.write(Buffer.alloc(2 * 1024 * 1024));
  await expect.poll(keptBytes).toBe(2 * 1024 * 1024);
  expect(sizes.at(-1)).toBe(256 * 1024);
  isTaken = false;
  kept.length = 0;
  for (let each = 0; each < 20; each++) {
    far.write(Buffer.alloc(1_000, each));
    await pause(5);
  }
  await expect.poll(keptBytes).toBe(20_000);
  const held = [...new Set(kept.map((piece) => piece.buffer))];
  expect(held.reduce((bytes, each) => bytes + each.byteLength, 0)).toBeLessThan(2 * 256 * 1024);
});

it('who copies at once is known', () => {
  const [one, other] = [new PassThrough(), new PassThrough()];
  copiesAtOnce(one);
  expect([keptBy(one), keptBy(other)]).toEqual([0, Number.POSITIVE_INFINITY]);
});
