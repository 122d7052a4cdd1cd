import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { CountedStream } from '../../../../src/targets/container/counted-stream.ts';

/** `there`: what was written into it; `here`: what it will say. */
function pair() {
  const there = new PassThrough({ highWaterMark: 16 });
  const here = new PassThrough({ highWaterMark: 16 });
  const inner = Duplex.from({ readable: here, writable: there });
  return { there, here, stream: new CountedStream(inner) };
}

const silent = () => new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });

describe('a stream that is counted', () => {
  it('carries all of it, counts it, and each side ends by itself', async () => {
    const { there, here, stream } = pair();
    const said = text(stream);
    here.end('x'.repeat(1_000));
    expect([(await said).length, stream.bytesRead]).toEqual([1_000, 1_000]);
    expect(stream.destroyed).toBe(false);
    const heard = text(there);
    stream.end('y'.repeat(500));
    expect([(await heard).length, stream.bytesWritten]).toEqual([500, 500]);
  });

  it('takes no more than it can pass on', async () => {
    const { here, stream } = pair();
    let taken = 0;
    const feed = () => {
      while (taken < 1_000_000) {
        taken += 1_000;
        if (!here.write(Buffer.alloc(1_000))) return;
      }
    };
    here.on('drain', feed);
    feed();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(taken).toBeLessThan(500_000);
    stream.destroy();
  });

  it('destroyed, takes the other with it, and what breaks there breaks here', async () => {
    const [left, broken] = [silent(), silent()];
    new CountedStream(left).destroy();
    await once(left, 'close');
    const failed = once(new CountedStream(broken), 'error');
    broken.destroy(new Error('broken'));
    expect((await failed)[0]).toMatchObject({ message: 'broken' });
  });
});
