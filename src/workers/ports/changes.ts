/**
 * The changes of an engine's containers: the supervisor follows an engine once, for all workers that keep its list, and
 * tells them that something has changed, not what.
 */
import { isGatewayError } from '../../errors.ts';
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { Peer } from '../../ipc/peer.ts';
import type { Handler } from '../../ipc/serving.ts';
import {
  type ChangeStream,
  createChangeStream,
  type FollowedEngine,
  type OpenChanges,
} from '../../targets/changes.ts';
import { hearChanges } from '../../targets/hear-changes.ts';
import { asCount, asList, asText, type ServedPort } from './served-port.ts';

/** Of a worker: follow answers whether the supervisor does. */
const method = { follow: 'changes.follow', leave: 'changes.leave' } as const;
/** Of the supervisor, with the number that the worker gave. */
const told = { open: 'changes.open', changed: 'changes.changed', ended: 'changes.ended' } as const;

const connectedWithinMs = 30_000;

/** `own`: for an engine that the supervisor does not follow. Throws process-silent where there is none to ask. */
export type FollowChanges = (engine: FollowedEngine, own: OpenChanges) => OpenChanges;

/** Undefined: it knows no such engine, or means another by that name. */
export type FindChanges = (engine: FollowedEngine) => Promise<OpenChanges | undefined>;

/** To be called in the turn of `openSteadyPeer`. */
export function changesOverIpc(supervisor: SteadyPeer): FollowChanges {
  const begin = createFollowings(supervisor);
  return (engine, own) => async (closed) => {
    const peer = await supervisor.connected(connectedWithinMs);
    const { number, stream, opened } = begin(peer);
    const leave = () => stream.destroy();
    closed.addEventListener('abort', leave, { once: true });
    if (closed.aborted) leave();
    try {
      if (await isFollowedBy(peer, number, engine)) {
        await opened;
        return stream;
      }
    } catch (error) {
      leave();
      // What was said before may have come before the supervisor followed anything.
      peer.notify(method.leave, number);
      throw error;
    }
    leave();
    return own(closed);
  };
}

/** False: it does not know the engine, or is of a version that follows none for others. Throws process-silent. */
const isFollowedBy = (peer: Peer, number: number, { name = null, docker = null }: Asked): Promise<boolean> =>
  peer.request<boolean>(method.follow, [number, name, docker]).catch((error) => {
    if (isGatewayError(error)) throw error;
    return false;
  });

type Asked = { readonly [K in keyof FollowedEngine]: FollowedEngine[K] | null };

interface Following {
  readonly peer: Peer;
  readonly stream: ChangeStream;
  readonly open: () => void;
}

/** Streams of a worker, which the supervisor is told of when they are over, and which are when it says so or has gone. */
function createFollowings(supervisor: SteadyPeer) {
  const followings = new Map<number, Following>();
  let last = 0;
  const on =
    (act: (following: Following) => void): Handler =>
    (number) => {
      const following = followings.get(asCount(number));
      if (following) act(following);
    };
  supervisor.serve(
    new Map([
      [told.open, on(({ open }) => open())],
      [told.changed, on(({ stream }) => stream.tell())],
      [told.ended, on(({ stream }) => void stream.destroy())],
    ]),
  );
  supervisor.onConnect((peer) =>
    peer.onClose(() => {
      for (const each of followings.values()) if (each.peer === peer) each.stream.destroy();
    }),
  );
  return (peer: Peer) => {
    last += 1;
    const number = last;
    const { promise: opened, resolve: open, reject } = Promise.withResolvers<void>();
    // It may end before anybody waits for it.
    opened.catch(() => {});
    const stream = createChangeStream(() => {
      followings.delete(number);
      peer.notify(method.leave, number);
      reject(new Error('the supervisor follows the engine no more'));
    });
    followings.set(number, { peer, stream, open });
    return { number, stream, opened };
  };
}

export function serveChanges(find: FindChanges): ServedPort {
  return {
    handlersFor(_worker, peer) {
      // One for each engine at most, whatever a worker asks for.
      const follows = new Map<string | undefined, Follow>();
      const end = (isMeant: (follow: Follow) => boolean) => {
        for (const follow of [...follows.values()].filter(isMeant)) follow.end();
      };
      peer.onClose(() => end(() => true));
      return [
        [
          method.follow,
          async (params) => {
            const [number, name, docker] = asList(params);
            const engine = { name: textOrNothing(name), docker: textOrNothing(docker) };
            const open = await find(engine);
            if (!open || peer.closedFor !== undefined) return false;
            follows.get(engine.name)?.end();
            const leave = () => void follows.delete(engine.name);
            follows.set(engine.name, follow(peer, asCount(number), open, leave));
            return true;
          },
        ],
        [method.leave, (number) => end((follow) => follow.number === number)],
      ];
    },
    gone: () => {},
  };
}

interface Follow {
  readonly number: number;
  readonly end: () => void;
}

/** Until the engine tells no more, or it is ended; the worker is told of either. */
function follow(peer: Peer, number: number, openChanges: OpenChanges, onEnd: () => void): Follow {
  let isTold = true;
  const end = () => {
    hearing.close();
    onEnd();
    peer.notify(told.ended, number);
  };
  const tell = () => {
    isTold = true;
    if (hearing.isOpen()) peer.notify(told.changed, number);
  };
  const hearing = hearChanges(
    { openChanges },
    {
      onOpen: () => peer.notify(told.open, number),
      onChange() {
        if (!isTold) return;
        isTold = false;
        // For all of this turn, and one that takes nothing hears of all at once when it does.
        setImmediate(() => void peer.drained().then(tell));
      },
      onEnd: end,
    },
  );
  return { number, end };
}

const textOrNothing = (value: unknown): string | undefined => (value === null ? undefined : asText(value));
