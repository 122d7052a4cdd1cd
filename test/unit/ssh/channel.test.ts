import { expect, it } from 'vitest';
import { Channel } from '../../../src/ssh/channel.ts';
import { windowBytes } from '../../../src/ssh/receive-window.ts';
import { channelNumbers, openWire } from '../../support/channel-wire.ts';

it('a window that waited unread as a whole is granted again when all of it is read at once', () => {
  let granted = 0;
  // CHANNEL_WINDOW_ADJUST, RFC 4254 §5.2.
  const wire = openWire((payload) => {
    if (payload[0] === 93) granted += payload.readUInt32BE(5);
  });
  const channel = new Channel(wire, channelNumbers, { eofAtFinish: false });
  for (let bytes = 0; bytes < windowBytes; bytes += 32_768) channel.receiveData(Buffer.alloc(32_768));
  expect(granted).toBe(0);
  expect(channel.read()).toHaveLength(windowBytes);
  expect(granted).toBeGreaterThanOrEqual(windowBytes);
});
