import { PassThrough, type Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { shareChanges } from '../../../../src/targets/container/shared-changes.ts';

/** An engine whose streams are kept; `answers` says when each is open. */
function shared(answers: (closed: AbortSignal) => Promise<unknown> = async () => {}) {
  const streams: PassThrough[] = [];
  const changes = shareChanges(async (closed) => {
    const stream = new PassThrough();
    streams.push(stream);
    await answers(closed);
    return stream;
  });
  const follow = () => changes.open(new AbortController().signal);
  return { streams, changes, follow };
}
const heardBy = (stream: Readable) => {
  const heard: string[] = [];
  stream.on('data', (chunk) => heard.push(String(chunk)));
  return heard;
};

describe('changes of an engine, for several who follow it', () => {
  it('come by one stream, and each hears of each', async () => {
    const { streams, follow } = shared();
    const heard = (await Promise.all([follow(), follow(), follow()])).map(heardBy);
    for (const times of [1, 2]) {
      streams[0]?.write('{}\n');
      await turn();
      expect(heard.map((each) => each.length)).toEqual([times, times, times]);
    }
    expect(streams).toHaveLength(1);
  });

  it('come by a stream that is closed when the last has left, and opened anew for the next', async () => {
    const { streams, follow, changes } = shared();
    const [one, other, leaving] = [await follow(), await follow(), new AbortController()];
    const third = await changes.open(leaving.signal);
    one.destroy();
    leaving.abort();
    expect([third.destroyed, streams[0]?.destroyed]).toEqual([true, false]);
    const heard = heardBy(other);
    streams[0]?.write('{}\n');
    await turn();
    expect(heard).toHaveLength(1);
    other.destroy();
    expect(streams[0]?.destroyed).toBe(true);
    await follow();
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, false]);
  });

  it.each([
    ['ends', (stream?: PassThrough) => stream?.end()],
    ['is cut', (stream?: PassThrough) => stream?.destroy()],
    ['breaks', (stream?: PassThrough) => stream?.destroy(new Error('reset'))],
  ])('a stream that %s ends for all, and the next who follows opens another', async (_how, end) => {
    const { streams, follow } = shared();
    const followed = await Promise.all([follow(), follow()]);
    for (const each of followed) each.resume();
    end(streams[0]);
    await expect.poll(() => followed.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    await follow();
    expect(streams).toHaveLength(2);
  });

  it('closed, it ends for all', async () => {
    const { streams, follow, changes } = shared();
    const followed = await Promise.all([follow(), follow()]);
    changes.close();
    expect([...followed, ...streams].map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  });

  it('an engine that refuses is asked once, and all are told why; then it is asked again', async () => {
    let refuses = true;
    const { streams, follow } = shared(async () => {
      if (refuses) throw new Error('refused');
    });
    const asked = await Promise.allSettled([follow(), follow()]);
    expect(asked.map((each) => 'reason' in each && each.reason.message)).toEqual(['refused', 'refused']);
    expect(streams).toHaveLength(1);
    refuses = false;
    expect((await follow()).destroyed).toBe(false);
  });

  it('an engine is not waited for when nobody waits any more', async () => {
    const signals: AbortSignal[] = [];
    const { changes } = shared((closed) => {
      signals.push(closed);
      return new Promise(() => {});
    });
    const leaving = new AbortController();
    const opening = changes.open(leaving.signal);
    leaving.abort();
    await expect(opening).rejects.toThrow('no more');
    expect(signals[0]?.aborted).toBe(true);
  });

  it('what nobody has read yet is told once', async () => {
    const { streams, follow } = shared();
    const stream = await follow();
    for (let time = 0; time < 100; time++) {
      streams[0]?.write('{}\n');
      await turn();
    }
    expect(stream.readableLength).toBe(1);
  });
});
