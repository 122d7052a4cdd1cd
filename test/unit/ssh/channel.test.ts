import { expect, it } from 'vitest';
import { Channel } from '../../../src/ssh/channel.ts';
import { windowBytes } from '../../../src/ssh/receive-window.ts';

it('a window that waited unread as a whole is granted again when all of it is read at once', () => {
  let granted = 0;
  const channel = new Channel(
    {
      // CHANNEL_WINDOW_ADJUST, RFC 4254 §5.2.
      send: (payload) => {
        if (payload[0] === 93) granted += payload.readUInt32BE(5);
      },
      sendData: () => {},
      sendStderr: () => {},
      isWritable: () => true,
      flush: () => {},
      onWritable: () => {},
      fail: (problem) => {
        throw new Error(problem);
      },
      release: () => {},
    },
    { local: 0, remote: 0, remoteWindow: 1_000, remoteMaxPacket: 32_768 },
    { eofAtFinish: false },
  );
  for (let bytes = 0; bytes < windowBytes; bytes += 32_768) channel.receiveData(Buffer.alloc(32_768));
  expect(granted).toBe(0);
  expect(channel.read()).toHaveLength(windowBytes);
  expect(granted).toBeGreaterThanOrEqual(windowBytes);
});
