import { Socket } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';
import type { Connection } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { takeInOrder, takingOf } from '../../../src/platform/lent-reads.ts';
import { TakenPackets } from '../../../src/ssh/taken-packets.ts';

/** What ssh2 says of a connection's packets: after two that came before anybody asked. */
function watch() {
  const decipher = { inSeqno: 2, _packet: null as Uint8Array | null, _pktLen: 0, _len: 0 };
  const protocol = { _decipher: decipher };
  const transport = new Socket();
  const packets = new TakenPackets({ _protocol: protocol } as unknown as Connection, transport);
  const taking = () => takingOf(transport)!;
  expect(taking().settle()).toBe(Number.POSITIVE_INFINITY);
  const receive = (channel: Readable, bytes: number) => {
    decipher.inSeqno++;
    packets.handled({ channel, bytes });
    return taking().settle();
  };
  return { decipher, protocol, packets, taking, receive };
}

function channel(held: () => number): Readable {
  const stream = new PassThrough();
  takeInOrder(stream, held);
  return stream;
}

describe('what was read is needed no more', () => {
  it('when all of it was handled', () => {
    const { decipher, packets, taking } = watch();
    decipher.inSeqno++;
    packets.handled();
    expect(taking().settle()).toBeLessThanOrEqual(taking().taken());
  });

  it('when whoever reads the channel has taken it: the oldest first', () => {
    const { taking, receive } = watch();
    let held = 0;
    const one = channel(() => held);
    const [first, second] = [receive(one, 100), receive(one, 50)];
    for (const [left, firstIsFree, secondIsFree] of [
      [150, false, false],
      [51, false, false],
      [50, true, false],
      [1, true, false],
      [0, true, true],
    ] as const) {
      held = left;
      expect([left, first <= taking().taken(), second <= taking().taken()]).toEqual([
        left,
        firstIsFree,
        secondIsFree,
      ]);
    }
  });

  it('not before all channels have taken theirs, where there are several', () => {
    const { taking, receive } = watch();
    let [held, other] = [10, 10];
    const first = receive(
      channel(() => held),
      10,
    );
    receive(
      channel(() => other),
      1_000,
    );
    held = 5;
    expect(first).toBeGreaterThan(taking().taken());
    other = 0;
    expect(first).toBeGreaterThan(taking().taken());
    held = 0;
    expect(first).toBeLessThanOrEqual(taking().taken());
  });

  it('never, where the channel has left before that, but what comes later is told apart', () => {
    const { packets, taking, receive } = watch();
    const gone = channel(() => 10);
    receive(gone, 10);
    const before = taking();
    packets.left(gone);
    expect(taking()).not.toBe(before);
    taking().settle();
    const later = receive(
      channel(() => 0),
      10,
    );
    expect(later).toBeLessThanOrEqual(taking().taken());
  });

  it('never, where the channel has left in the midst of it', () => {
    const { decipher, packets, taking } = watch();
    const before = taking();
    const gone = channel(() => 10);
    decipher.inSeqno++;
    packets.handled({ channel: gone, bytes: 10 });
    packets.left(gone);
    expect(before.settle()).toBe(Number.POSITIVE_INFINITY);
  });

  it('never, where a packet was among it that somebody may keep', () => {
    const { decipher, taking } = watch();
    decipher.inSeqno++;
    expect(taking().settle()).toBe(Number.POSITIVE_INFINITY);
    expect(taking().settle()).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  it('never, where there are new keys, whose numbers begin anew', () => {
    const { decipher, protocol, taking } = watch();
    protocol._decipher = { ...decipher };
    expect(taking().settle()).toBe(Number.POSITIVE_INFINITY);
    expect(taking().settle()).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  it('never, where its last packet lies there, of which only the MAC is missing', () => {
    const { decipher, taking } = watch();
    Object.assign(decipher, { _packet: new Uint8Array(64), _pktLen: 48, _len: 64 });
    expect(taking().settle()).toBeLessThan(Number.POSITIVE_INFINITY);
    decipher._pktLen = 64;
    expect(taking().settle()).toBe(Number.POSITIVE_INFINITY);
  });

  it('also where sequence numbers begin again at 0', () => {
    const { decipher, packets, taking } = watch();
    decipher.inSeqno = 0xff_ff_ff_ff;
    taking().settle();
    decipher.inSeqno = 0;
    packets.handled();
    expect(taking().settle()).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});
