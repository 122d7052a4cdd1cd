/**
 * Notices that a container has ended under a program whose connection says nothing of it: one through a network that has
 * forgotten it, to an engine whose machine has started anew, or that the engine itself has lost.
 */
import type { GatewayError } from '../../errors.ts';
import { isContainerEnding } from './container-ending.ts';
import type { ContainerFacts, ContainerFactsSource } from './container-facts.ts';

export interface EndingWatch {
  /** `onEnded` is called once, with what a session says of it, when that start of the container is over. Returns what ends the watch. */
  follow(facts: ContainerFacts, onEnded: (ending: GatewayError) => void): () => void;
}

interface Followed {
  readonly listeners: Set<(ending: GatewayError) => void>;
  readonly timer: NodeJS.Timeout;
}

/** Each container is asked for so often, however many programs run there. */
export function createEndingWatch(
  { findEnding }: Pick<ContainerFactsSource, 'findEnding'>,
  everyMs: number,
): EndingWatch {
  const followed = new Map<string, Followed>();

  const begin = (key: string, facts: ContainerFacts): Followed => {
    const look = async () => {
      // An engine that does not answer says nothing of its containers. It is asked again all the same: it may be by another connection.
      const ending = await findEnding(facts);
      if (isContainerEnding(ending)) for (const listener of [...listeners]) listener(ending);
    };
    const listeners: Followed['listeners'] = new Set();
    const begun = { listeners, timer: setInterval(look, everyMs).unref() };
    followed.set(key, begun);
    return begun;
  };

  return {
    follow(facts, onEnded) {
      const key = JSON.stringify([facts.id, facts.startedAt]);
      const { listeners, timer } = followed.get(key) ?? begin(key, facts);
      const forget = () => {
        if (!listeners.delete(tell) || listeners.size > 0) return;
        clearInterval(timer);
        followed.delete(key);
      };
      const tell = (ending: GatewayError) => {
        forget();
        onEnded(ending);
      };
      listeners.add(tell);
      return forget;
    },
  };
}
