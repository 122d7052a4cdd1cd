import type { Channel } from '../channel.ts';

/** The channel that the host opens before the signal aborts. One that comes later is closed, for nobody waits for it. */
export function openedBefore(
  signal: AbortSignal,
  opening: Promise<Channel | undefined>,
): Promise<Channel | undefined> {
  return new Promise((resolve) => {
    const giveUp = () => {
      resolve(undefined);
      void opening.then((channel) => channel?.close());
    };
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    void opening.then((channel) => {
      signal.removeEventListener('abort', giveUp);
      resolve(channel);
    });
  });
}
