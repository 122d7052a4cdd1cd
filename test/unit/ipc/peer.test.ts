import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import type { Peer } from '../../../src/ipc/peer.ts';
import { connectTo, listenFor, makeSocketPath, ofMethods } from './connections.ts';

describe('a peer', () => {
  it('answers requests of many at once, each with its own answer, and lets either side ask', async () => {
    const path = await makeSocketPath();
    const { promise: other, resolve } = Promise.withResolvers<Peer>();
    await listenFor(
      path,
      {},
      {
        accept: (_greeting, peer) => {
          resolve(peer);
          return ofMethods({
            double: async (params) => {
              await delay((params as number) % 3);
              return 2 * (params as number);
            },
          });
        },
      },
    );
    const { peer } = await connectTo(path, { handlers: () => ofMethods({ name: () => 'client' }) });
    const numbers = Array.from({ length: 3_000 }, (_, index) => index);
    const doubled = await Promise.all(numbers.map((number) => peer.request('double', number)));
    expect(doubled).toEqual(numbers.map((number) => 2 * number));
    expect(await (await other).request('name')).toBe('client');
  });

  it('passes errors of the table by code and parameters, and of others no word', async () => {
    const path = await makeSocketPath();
    const faults: unknown[] = [];
    const methods = {
      known: () => {
        throw new GatewayError('session-not-found', { session: 'x1' }, { cause: new Error('secret') });
      },
      unknown: async () => {
        throw new Error('secret');
      },
      cyclic: () => {
        const cycle: Record<string, unknown> = {};
        cycle['self'] = cycle;
        return cycle;
      },
    };
    await listenFor(path, methods, { onFault: (error, method) => faults.push([method, error]) });
    const { peer } = await connectTo(path);
    const known: unknown = await peer.request('known').catch((error: unknown) => error);
    expect(known).toBeInstanceOf(GatewayError);
    expect(known).toMatchObject({ code: 'session-not-found', params: { session: 'x1' }, httpStatus: 404 });
    expect((known as Error).cause).toBeUndefined();
    await expect(peer.request('unknown')).rejects.toThrow(/an internal error$/);
    expect(faults).toEqual([['unknown', new Error('secret')]]);
    await expect(peer.request('cyclic')).rejects.toThrow('cannot be sent');
    for (const method of ['absent', '__proto__', 'constructor']) {
      await expect(peer.request(method)).rejects.toThrow('no such method');
    }
  });

  it('waits for an answer until the deadline and no longer, and for none when the other side goes', async () => {
    const path = await makeSocketPath();
    const listener = await listenFor(path, { never: () => new Promise(() => {}) });
    const { peer } = await connectTo(path);
    const late = expect(peer.request('never', {}, { deadlineMs: 20 })).rejects;
    await late.toMatchObject({ code: 'process-silent', params: { reason: 'none within 0.02 s' } });
    const waiting = peer.request('never');
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'process-silent' }), listener.close()]);
    await expect(peer.request('never')).rejects.toMatchObject({ code: 'process-silent' });
  });

  it('has no more under way at once than agreed, in number and in bytes; the rest waits for its turn', async () => {
    const path = await makeSocketPath();
    let now = 0;
    let most = 0;
    const slow = async (params: unknown) => {
      now += 1;
      most = Math.max(most, now);
      await delay(1);
      now -= 1;
      return (params as string).length;
    };
    const limits = { maxUnderWay: 10, maxUnderWayBytes: 4_000 };
    await listenFor(path, { slow }, { limits });
    const { peer } = await connectTo(path, { limits });
    const lengths = await Promise.all(
      Array.from({ length: 100 }, (_, index) => peer.request('slow', 'x'.repeat(index < 50 ? 1 : 1_900))),
    );
    expect(lengths.filter((length) => length === 1_900)).toHaveLength(50);
    expect(most).toBe(10);
  });

  it('answers with megabytes only whoever asked for that', async () => {
    const path = await makeSocketPath();
    await listenFor(path, { much: () => 'x'.repeat(5_000_000) });
    const { peer } = await connectTo(path);
    await expect(peer.request('much')).rejects.toThrow('cannot be sent');
    expect(await peer.request('much', {}, { largeAnswer: true })).toHaveLength(5_000_000);
  });

  it('is not taken for one that does not read while a long answer is on its way to it', async () => {
    const path = await makeSocketPath();
    const small = { maxQueuedBytes: 1_000_000 };
    await listenFor(path, { much: () => 'x'.repeat(9_000_000), little: () => 'y' }, { limits: small });
    const { peer } = await connectTo(path);
    const much = peer.request('much', {}, { largeAnswer: true });
    const little = Array.from({ length: 100 }, () => peer.request('little'));
    expect(await Promise.all(little)).toHaveLength(100);
    expect(await much).toHaveLength(9_000_000);
  });

  it('that does not read is left once 64 MiB wait for it, and tells those with much to say to wait', async () => {
    const path = await makeSocketPath();
    const { promise: other, resolve } = Promise.withResolvers<Peer>();
    await listenFor(
      path,
      {},
      {
        limits: { maxQueuedBytes: 4_000_000 },
        accept: (_greeting, peer) => {
          resolve(peer);
          return new Map();
        },
      },
    );
    let taken = 0;
    const handlers = () => ofMethods({ take: () => (taken += 1) });
    await connectTo(path, { handlers });
    const peer = await other;
    for (let count = 0; count < 300; count++) {
      peer.notify('take', 'x'.repeat(100_000));
      await peer.drained();
    }
    await expect.poll(() => taken).toBe(300);
    expect(peer.closedFor).toBeUndefined();
    for (let count = 0; count < 100; count++) peer.notify('take', 'x'.repeat(100_000));
    expect(peer.closedFor).toBe('it does not take what it is sent');
  });
});
