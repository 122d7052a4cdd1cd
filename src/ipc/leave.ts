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
  /** Says that this process leaves. Resolves when nothing is begun any more, and what was is answered; or the peer is gone. */
  finish(): Promise<void>;
  /** Resolves when the connection has ended in order. */
  move(): Promise<void>;
}

export function createLeaving(peer: Peer): Leaving {
  const quiet = Promise.withResolvers<unknown>();
  const gone = new Promise<void>((resolve) => peer.onClose(() => resolve()));
  return {
    onQuiet: quiet.resolve,
    async finish() {
      peer.notify(leavingMethod);
      await Promise.race([quiet.promise.then(peer.idle), gone]);
    },
    move() {
      peer.notify(movedMethod);
      peer.end(movedReason);
      return gone;
    },
  };
}

/**
 * Leaves all, and none before everybody is done: what one of them does last may concern the others. Those that are not done
 * after `withinMs` are cut.
 */
export async function leaveAll(peers: ReadonlyMap<Peer, Leaving>, withinMs: number): Promise<void> {
  const timer = setTimeout(() => {
    for (const peer of peers.keys()) peer.close('it took too long to leave');
  }, withinMs);
  await Promise.all([...peers.values()].map(({ finish }) => finish()));
  await Promise.all([...peers.keys()].map((peer) => peer.idle()));
  await Promise.all([...peers.values()].map(({ move }) => move()));
  clearTimeout(timer);
}
