import { describe, expect, it } from 'vitest';
import { createChannelOffers } from '../../../src/ssh/channel-offers.ts';
import { uint32, WireReader } from '../../../src/ssh/wire.ts';

function open() {
  const failures: string[] = [];
  const answers: unknown[] = [];
  const offers = createChannelOffers({ send: () => {}, fail: (problem) => void failures.push(problem) });
  const offer = (local: number) =>
    offers.offer('forwarded-tcpip', local, Buffer.alloc(0), (peer) => answers.push(peer));
  const reader = (...numbers: readonly number[]) => new WireReader(Buffer.concat(numbers.map(uint32)));
  return { offers, offer, reader, failures, answers };
}

describe('channels offered to a peer', () => {
  it('an answer comes in the tick of its message, and once', () => {
    const { offers, offer, reader, answers } = open();
    offer(5);
    offers.confirmed(reader(5, 9, 100, 32_768));
    offers.refused(reader(5, 2, 0));
    expect(answers).toEqual([{ remote: 9, remoteWindow: 100, remoteMaxPacket: 32_768 }]);
  });

  it('a refusal tells why', () => {
    const { offers, offer, reader, answers } = open();
    offer(5);
    offers.refused(reader(5, 1, 0));
    expect(answers).toMatchObject([{ reason: 1, message: '' }]);
  });

  it('never-offered: an answer to no question does nothing', () => {
    const { offers, reader, answers, failures } = open();
    offers.confirmed(reader(7, 1, 1, 32_768));
    offers.refused(reader(8, 2, 0));
    expect([answers, failures]).toEqual([[], []]);
  });

  it('tiny-packets: a peer that takes them only is disconnected', () => {
    const { offers, offer, reader, answers, failures } = open();
    offer(1);
    offers.confirmed(reader(1, 1, 100, 0));
    expect(answers).toEqual([undefined]);
    expect(failures).toHaveLength(1);
  });

  it('what was not answered is, when the connection is lost', () => {
    const { offers, offer, answers } = open();
    offer(1);
    offer(2);
    offers.close();
    expect(answers).toEqual([undefined, undefined]);
  });
});
