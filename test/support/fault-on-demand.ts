/** For a gateway of its own process (NODE_OPTIONS --import): the variable FAULT, sent by a client, is a bug where it says. */
import { PassThrough } from 'node:stream';
import { Channel } from '../../src/ssh/channel.ts';
import { WireReader } from '../../src/ssh/wire.ts';

const fault = (where: string) => new TypeError(`made by a test: ${where}`);

const bugs: Readonly<Record<string, (channel: Channel) => void>> = {
  handler: () => {
    throw fault('handler');
  },
  timer: () => {
    setTimeout(() => {
      throw fault('timer');
    }, 20);
  },
  promise: () => void Promise.reject(fault('promise')),
  stream: () => {
    const stream = new PassThrough();
    stream.on('data', () => {
      throw fault('stream');
    });
    setTimeout(() => stream.write('x'), 20);
  },
  channel: (channel) => {
    channel.on('data', () => {
      throw fault('channel');
    });
  },
};

const { receiveRequest } = Channel.prototype;
Channel.prototype.receiveRequest = function (type, wantReply, data) {
  const rest = data.rest();
  const variable = new WireReader(rest, 0);
  if (type === 'env' && variable.text() === 'FAULT') bugs[variable.text()]?.(this);
  return receiveRequest.call(this, type, wantReply, new WireReader(rest, 0));
};
