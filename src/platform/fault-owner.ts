/**
 * Whose fault it is when something throws and nobody catches it: what a connection begins, timers, promises and streams
 * with it, runs in the name of that connection (AsyncLocalStorage, which costs 0.1 µs where an event enters it). So an
 * uncaught error ends its owner, as it would end the one process that OpenSSH has for a connection.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import { createSideMap } from './side-map.ts';

export interface FaultOwner {
  /** For the log, where it is a connection of somebody's. */
  readonly connectionId?: string;
  /** Ends it, and nothing else. */
  end(sentence: string): void;
}

/** Logs and counts a fault of ours, and ends its owner with a sentence that names it. Never throws. */
export type EndForFault = (error: unknown, owner: FaultOwner) => void;

const owners = new AsyncLocalStorage<FaultOwner | undefined>();

/** Where an uncaught error is handled: whoever began what threw it. Asked once, for it also leaves that context. */
export function takeFaultOwner(): FaultOwner | undefined {
  const owner = owners.getStore();
  // After an error Node may go on in the context in which it was thrown.
  owners.enterWith(undefined);
  return owner;
}

/** Runs `work`, and all that it begins, in the name of `owner`. Never throws: an error of `work` is uncaught, and the owner's. */
export function inNameOf(owner: FaultOwner, work: () => void): void {
  owners.run(owner, () => {
    try {
      work();
    } catch (error) {
      throwUncaught(error);
    }
  });
}

const ownerOf = createSideMap<object, { owner: FaultOwner }>('fault owner');

/**
 * From now on the emitter's listeners run in the name of `owner`, who takes the place of any before. A socket's would run
 * in the name of whoever opened it, which for one that was accepted is nobody.
 */
export function ownEvents<Emitter extends Pick<EventEmitter, 'emit'>>(
  emitter: Emitter,
  owner: FaultOwner,
): Emitter {
  const before = ownerOf.get(emitter);
  if (before) {
    before.owner = owner;
    return emitter;
  }
  const now = { owner };
  ownerOf.set(emitter, now);
  const emit = emitter.emit;
  emitter.emit = (...args: Parameters<EventEmitter['emit']>) =>
    owners.run(now.owner, () => {
      try {
        return Reflect.apply(emit, emitter, args);
      } catch (error) {
        throwUncaught(error);
        return true;
      }
    });
  return emitter;
}

/** In a tick of its own, which keeps the context: a throw from here would leave it on the way. */
function throwUncaught(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
