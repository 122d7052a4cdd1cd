/** Changes of an engine's list of containers, told without what they are: who keeps a list forgets it then. */
import { Readable } from 'node:stream';

/**
 * Resolves when the stream has something to read for whatever changes the list from now on; it ends when the engine tells no
 * more, or `closed` aborts. To be consumed or destroyed.
 */
export type OpenChanges = (closed: AbortSignal) => Promise<Readable>;

/** An engine, as another process of the gateway means it. */
export interface FollowedEngine {
  /** Undefined: the one that the configuration names. */
  readonly name: string | undefined;
  /** What the configuration of whoever follows it calls that one. */
  readonly docker: string | undefined;
}

export interface ChangeStream extends Readable {
  /** Something has changed; told once to whoever has not read it yet. */
  tell(): void;
}

/** `onLeave` is called in the turn in which it is destroyed, by whoever reads it or made it. */
export function createChangeStream(onLeave: () => void): ChangeStream {
  const stream = new Readable({
    read() {},
    destroy(error, done) {
      onLeave();
      done(error);
    },
  });
  return Object.assign(stream, {
    tell() {
      if (stream.readableLength === 0 && !stream.destroyed) stream.push('\n');
    },
  });
}
