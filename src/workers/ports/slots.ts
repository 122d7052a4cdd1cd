/** Slots of the whole gateway: a worker names each that it takes, and tells whoever follows its supervisor of those it has. */
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { GiveBack, SlotBook, Slots } from '../../platform/slots.ts';
import { asCount, asList, asText, createHoldings, type ServedPort } from './served-port.ts';

const takeMethod = 'slots.take';
const giveMethod = 'slots.give';
const heldMethod = 'slots.held';

/** To be called in the turn of `openSteadyPeer`. */
export function slotsOverIpc(supervisor: SteadyPeer): Slots {
  const held = new Map<number, string>();
  let last = 0;
  supervisor.onConnect((peer) => peer.notify(heldMethod, [...held]));
  const give = (slot: number) => void supervisor.notify(giveMethod, slot);
  return {
    async take(name, limit) {
      last += 1;
      const slot = last;
      const isTaken = await supervisor
        .request<boolean>(takeMethod, [slot, name, limit], { repeatable: true })
        .catch((error: unknown) => {
          // It may be taken nevertheless.
          give(slot);
          throw error;
        });
      if (!isTaken) return undefined;
      held.set(slot, name);
      return () => {
        if (held.delete(slot)) give(slot);
      };
    },
  };
}

/** None is given before `ready`: by then each worker has said what it holds. */
export function serveSlots(book: SlotBook, ready?: Promise<unknown>): ServedPort {
  const holdings = createHoldings(() => new Map<number, GiveBack>());
  return {
    handlersFor(worker) {
      const held = holdings.of(worker);
      const take = (slot: number, name: string, limit: number): boolean => {
        if (held.has(slot)) return true;
        const giveBack = book.take(name, limit);
        if (giveBack) held.set(slot, giveBack);
        return giveBack !== undefined;
      };
      return [
        [
          takeMethod,
          async (params) => {
            const [slot, name, limit] = asList(params);
            await ready;
            return take(asCount(slot), asText(name), asCount(limit));
          },
        ],
        [
          giveMethod,
          (slot) => {
            held.get(asCount(slot))?.();
            held.delete(asCount(slot));
          },
        ],
        [
          heldMethod,
          (params) => {
            for (const each of asList(params)) {
              const [slot, name] = asList(each);
              // Whatever the limit is now: it has them.
              take(asCount(slot), asText(name), Number.POSITIVE_INFINITY);
            }
          },
        ],
      ];
    },
    gone(worker) {
      for (const giveBack of holdings.take(worker)?.values() ?? []) giveBack();
    },
  };
}
