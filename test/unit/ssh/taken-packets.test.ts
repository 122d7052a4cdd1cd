import { PassThrough } from 'node:stream';
import type { Connection } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { takeAtOnce } from '../../../src/platform/lent-reads.ts';
import type { Channel } from '../../../src/ssh/channel.ts';
import { TakenPackets } from '../../../src/ssh/taken-packets.ts';

/** What ssh2 says of a connection's packets: after two that came before anybody asked. */
function watch() {
  const decipher = { inSeqno: 2, _packet: null as Uint8Array | null, _pktLen: 0, _len: 0 };
  const protocol = { _decipher: decipher };
  const taken = new TakenPackets({ _protocol: protocol } as unknown as Connection);
  expect(taken.isTaken()).toBe(false);
  return { decipher, protocol, taken };
}

function channel(isTaken: () => boolean): Channel {
  const stream = new PassThrough();
  takeAtOnce(stream, isTaken);
  return stream as unknown as Channel;
}

describe('what was read is needed no more', () => {
  it('when nothing came, or all of it was handled', () => {
    const { decipher, taken } = watch();
    expect(taken.isTaken()).toBe(true);
    decipher.inSeqno++;
    taken.handled();
    expect(taken.isTaken()).toBe(true);
  });

  it('when whoever reads the channel has taken the data, and not before', () => {
    const { decipher, taken } = watch();
    let isTaken = false;
    decipher.inSeqno++;
    taken.handled(channel(() => isTaken));
    expect(taken.isTaken()).toBe(false);
    isTaken = true;
    expect(taken.isTaken()).toBe(true);
  });

  it('not when a packet was among it that somebody may keep', () => {
    const { decipher, taken } = watch();
    decipher.inSeqno += 2;
    taken.handled();
    expect(taken.isTaken()).toBe(false);
    expect(taken.isTaken()).toBe(true);
  });

  it('not when there are new keys, whose numbers begin anew', () => {
    const { decipher, protocol, taken } = watch();
    protocol._decipher = { ...decipher };
    expect(taken.isTaken()).toBe(false);
    expect(taken.isTaken()).toBe(true);
  });

  it('not while its last packet lies there, of which only the MAC is missing', () => {
    const { decipher, taken } = watch();
    Object.assign(decipher, { _packet: new Uint8Array(64), _pktLen: 48, _len: 64 });
    expect(taken.isTaken()).toBe(true);
    decipher._pktLen = 64;
    expect(taken.isTaken()).toBe(false);
  });

  it('also where sequence numbers begin again at 0', () => {
    const { decipher, taken } = watch();
    decipher.inSeqno = 0xff_ff_ff_ff;
    taken.isTaken();
    decipher.inSeqno = 0;
    taken.handled();
    expect(taken.isTaken()).toBe(true);
  });
});
