/**
 * An orderly end, so that a successor can go on where this process stopped and nothing is done twice. The leaver says
 * `leaving`; the other side begins nothing more here and says `quiet`; the leaver answers all that was begun before that,
 * says `moved`, and ends the connection.
 */
import type { Peer } from './peer.ts';
import type { Handler } from './serving.ts';

export const leavingMethod = 'ipc.leaving';
export const quietMethod = 'ipc.quiet';
export const movedMethod = 'ipc.moved';

/** Why a connection ended that ended in order, on both sides. */
export const movedReason = 'its work has moved to another process';

export interface Leaving {
  /** For the peer's handlers. */
  readonly onQuiet: Handler;
  /** Resolves when the connection has ended: in order, or because it took longer than `withinMs`. Never throws. */
  leave(withinMs: number): Promise<void>;
}

export function createLeaving(peer: Peer): Leaving {
  const quiet = Promise.withResolvers<void>();
  return {
    onQuiet: () => quiet.resolve(),
    leave: (withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => peer.close('it took too long to leave'), withinMs);
        peer.onClose(() => {
          clearTimeout(timer);
          resolve();
        });
        peer.notify(leavingMethod);
        quiet.promise
          .then(() => peer.idle())
          .then(() => {
            peer.notify(movedMethod);
            peer.end(movedReason);
          });
      }),
  };
}
