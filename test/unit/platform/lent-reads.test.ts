import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lentReads, takeAtOnce } from '../../../src/platform/lent-reads.ts';

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
