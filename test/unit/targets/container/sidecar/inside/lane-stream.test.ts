import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LaneStream } from '../../../../../../src/targets/container/sidecar/inside/lane-stream.ts';

const arrived: Buffer[] = [];
const server = createServer((socket) => socket.on('data', (chunk: Buffer) => arrived.push(chunk)));
let lane: Socket;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  lane = connect(port, '127.0.0.1');
  await once(lane, 'connect');
});
afterAll(() => {
  lane.destroy();
  server.close();
});

describe('endless-input', () => {
  it('lets other things have a turn, though the lane takes all of it at once', async () => {
    // As the kernel does where the other side is quick: no write waits.
    const taken = new Proxy(lane, {
      get: (socket, name) => (name === 'writableLength' ? 0 : Reflect.get(socket, name).bind?.(socket)),
    });
    const stream = new LaneStream(taken);
    let pushed = 0;
    const endless = new Readable({
      read() {
        pushed += 65_536;
        // The test itself would never end: it fails by what was pushed.
        this.push(pushed > 256 * 1024 * 1024 ? null : Buffer.alloc(65_536));
      },
    });
    endless.pipe(stream);
    await new Promise((resolve) => setImmediate(resolve));
    expect(pushed).toBeLessThan(64 * 1024 * 1024);
    endless.destroy();
    stream.destroy();
  });
});

describe('late-piece', () => {
  it('what comes of a stream that is over is not sent into that of the next program', async () => {
    const piece = () => Buffer.from('--------of the first');
    const first = new LaneStream(lane);
    first.on('error', () => {});
    let released = 0;
    const release = () => released++;
    arrived.length = 0;
    first.lane.send(piece(), release);
    first.end();
    first.lane.send(piece(), release);
    first.receive(null);
    first.resume();
    await once(first, 'close');
    first.lane.send(piece(), release);
    const next = new LaneStream(lane);
    next.end('of the next');
    await once(next, 'finish');
    while (!Buffer.concat(arrived).includes('of the next')) await new Promise(setImmediate);
    const all = Buffer.concat(arrived).toString('latin1');
    expect(all.split('of the first')).toHaveLength(2);
    expect(released).toBe(3);
    next.destroy();
  });
});
