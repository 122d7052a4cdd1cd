/** What goes out: frames of one turn of the event loop in one write, and a bound on what the other side does not take. */
import type { Socket } from 'node:net';
import type { PeerLimits } from './limits.ts';

export interface Outbox {
  send(frame: Buffer): void;
  /** Written to it and not taken by the kernel. */
  queuedBytes(): number;
  /** Resolves once less than a quarter of what may be queued is, or the connection is gone. */
  drained(): Promise<void>;
  /** Ends the stream behind what was sent. */
  end(): void;
}

/** A frame that is longer than usual may wait beside what else may. */
export function createOutbox(
  socket: Socket,
  { maxQueuedBytes, maxFrameBytes }: Pick<PeerLimits, 'maxQueuedBytes' | 'maxFrameBytes'>,
  onFull: () => void,
): Outbox {
  let frames: Buffer[] = [];
  let frameBytes = 0;
  let ended = false;
  /** Of long frames, since nothing waited last. */
  let longBytes = 0;
  const queuedBytes = () => frameBytes + socket.writableLength;

  function flush(): void {
    const [first] = frames;
    if (first && socket.writable) {
      socket.write(frames.length === 1 ? first : Buffer.concat(frames, frameBytes));
    }
    frames = [];
    frameBytes = 0;
    if (ended) socket.end();
  }

  return {
    send(frame) {
      if (ended || !socket.writable) return;
      if (queuedBytes() === 0) longBytes = 0;
      if (frame.length > maxFrameBytes) longBytes += frame.length;
      if (frames.push(frame) === 1) process.nextTick(flush);
      frameBytes += frame.length;
      if (queuedBytes() > maxQueuedBytes + longBytes) onFull();
    },
    queuedBytes,
    async drained() {
      while (socket.writable && queuedBytes() > maxQueuedBytes / 4) {
        await new Promise<void>((resolve) => {
          const done = () => {
            for (const event of ['drain', 'close']) socket.off(event, done);
            resolve();
          };
          for (const event of ['drain', 'close']) socket.on(event, done);
        });
      }
    },
    end() {
      ended = true;
      if (frames.length === 0) socket.end();
    },
  };
}
