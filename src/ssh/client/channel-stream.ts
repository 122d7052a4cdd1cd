import { Duplex } from 'node:stream';
import type { Channel } from '../channel.ts';

/**
 * A forwarded channel as a stream that ends as a socket does: each side by itself, and 'close' only when what was received
 * has been read. Destroying it closes the channel.
 */
export function channelStream(channel: Channel): Duplex {
  const stream = new Duplex({
    allowHalfOpen: true,
    highWaterMark: 64 * 1024,
    read: () => void channel.resume(),
    write: (data: Buffer, _encoding, done) => void channel.write(data, done),
    final: (done) => void channel.end(done),
    destroy(error, done) {
      channel.close();
      // What was received and is wanted no more.
      channel.resume();
      done(error);
    },
  });
  channel.on('data', (data: Buffer) => {
    if (!stream.destroyed && !stream.push(data)) channel.pause();
  });
  channel.once('end', () => {
    if (!stream.destroyed) stream.push(null);
  });
  const onGone = () => {
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
  };
  if (channel.gone.aborted) onGone();
  else channel.gone.addEventListener('abort', onGone, { once: true });
  return stream;
}
