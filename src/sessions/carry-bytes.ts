import type { Duplex } from 'node:stream';
import { keptBy, takeAtOnce, takeInOrder } from '../platform/lent-reads.ts';

export interface CarryEnds {
  /** The peer is gone: what it sent is delivered still, and nothing more is read for it. */
  readonly peerClosed: AbortSignal;
  /** Nothing more is carried, at once. */
  readonly ended: AbortSignal;
}

/** For what a peer sent before it left, to a server that is slow to read it. */
const deliverWithinMs = 10_000;

/**
 * Copies both ways at the slower side's pace, and passes each end of data on by itself. Resolves when both sides have
 * ended, or one has failed; `stream` is destroyed then.
 */
export function carryBytes(peer: Duplex, stream: Duplex, ends: CarryEnds): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(deadline);
      peer.unpipe(stream);
      // A channel that nobody reads any more would hold the rest of its window.
      peer.resume();
      stream.destroy();
      ends.ended.removeEventListener('abort', finish);
      ends.peerClosed.removeEventListener('abort', leave);
      resolve();
    };
    let deadline: NodeJS.Timeout | undefined;
    const leave = () => {
      stream.unpipe(peer);
      stream.resume();
      if (stream.writableFinished || stream.destroyed) return finish();
      stream.once('finish', finish);
      deadline = setTimeout(finish, deliverWithinMs);
    };
    let open = 2;
    const oneEnded = () => {
      open--;
      if (open === 0) finish();
    };
    // It may have told all and be gone while a slow peer still has to be told.
    const closed = () => {
      if (!stream.readableEnded || peer.writableFinished) finish();
      else peer.once('finish', finish);
    };
    stream.once('finish', oneEnded).once('error', closed).once('close', closed);
    peer.once('finish', oneEnded);
    ends.ended.addEventListener('abort', finish, { once: true });
    ends.peerClosed.addEventListener('abort', leave, { once: true });
    peer.pipe(stream);
    // A channel has put into packets what it does not hold.
    takeAtOnce(stream, () => peer.writableLength === 0);
    takeInOrder(peer, () => keptBy(stream));
    stream.pipe(peer);
    if (ends.ended.aborted || stream.destroyed) finish();
    else if (ends.peerClosed.aborted) leave();
  });
}
