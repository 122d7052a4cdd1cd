/** An engine's stream of changes, opened once for all who follow it, and open for as long as somebody does. */
import type { Readable } from 'node:stream';
import { type ChangeStream, createChangeStream, type OpenChanges } from '../changes.ts';
import { hearChanges } from '../hear-changes.ts';

export interface SharedChanges {
  /** Throws what the engine's own call does. */
  readonly open: OpenChanges;
  /** Ends it for everybody. */
  close(): void;
}

interface Sharing {
  readonly opened: Promise<void>;
  readonly followers: Set<ChangeStream>;
  readonly end: (error?: unknown) => void;
}

export function shareChanges(open: OpenChanges): SharedChanges {
  let current: Sharing | undefined;

  function begin(): Sharing {
    const followers = new Set<ChangeStream>();
    const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
    const end = (error: unknown = new Error('the engine tells of its changes no more')) => {
      if (current === sharing) current = undefined;
      hearing.close();
      reject(error);
      for (const each of followers) each.destroy();
    };
    const onChange = () => {
      for (const each of followers) each.tell();
    };
    const hearing = hearChanges({ openChanges: open }, { onOpen: resolve, onChange, onEnd: end });
    // Those who wait for it are told, if there are any left.
    opened.catch(() => {});
    const sharing = { opened, followers, end };
    return sharing;
  }

  async function follow(closed: AbortSignal): Promise<Readable> {
    current ??= begin();
    const { opened, followers, end } = current;
    const follower = createChangeStream(() => {
      followers.delete(follower);
      if (followers.size === 0) end();
    });
    followers.add(follower);
    const leave = () => follower.destroy();
    closed.addEventListener('abort', leave, { once: true });
    if (closed.aborted) leave();
    await opened;
    return follower;
  }

  return { open: follow, close: () => current?.end() };
}
