import type { ChannelWire } from '../../src/ssh/channel.ts';

/** The wire of a channel whose peer takes everything at once, and fails nothing; messages but data are told to `send`. */
export const openWire = (send: ChannelWire['send']): ChannelWire => ({
  send,
  sendData: () => {},
  sendStderr: () => {},
  isWritable: () => true,
  flush: () => {},
  onWritable: () => {},
  fail: (problem) => {
    throw new Error(problem);
  },
  release: () => {},
});

export const channelNumbers = { local: 0, remote: 0, remoteWindow: 1_000, remoteMaxPacket: 32_768 };
