/** Slots of the whole gateway: a worker names each that it takes, and tells whoever follows its supervisor of those it has. */
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { GiveBack, SharedSlots, Slots } from '../../platform/slots.ts';
import { asCount, asList, asText, createHoldings, type ServedPort } from './served-port.ts';

const takeMethod = 'slots.take';
const giveMethod = 'slots.give';
const heldMethod = 'slots.held';

const maxHeldAtOnce = 5_000;

/** What is expected and does not come, is somebody else's again. */
const expectedForMs = 1_000;

/** To be called in the turn of `openSteadyPeer`. */
export function slotsOverIpc(supervisor: SteadyPeer): Slots {
  const { take } = takeOverIpc(supervisor);
  const expected = new Map<string, Promise<GiveBack | undefined>>();
  const takeExpected = (name: string) => {
    const taking = expected.get(name);
    expected.delete(name);
    return taking;
  };
  return {
    expect(name, limit) {
      if (expected.has(name)) return;
      const taking = take(name, limit).catch(() => undefined);
      expected.set(name, taking);
      const giveUp = () => {
        if (expected.get(name) === taking) void takeExpected(name)?.then((giveBack) => giveBack?.());
      };
      setTimeout(giveUp, expectedForMs).unref();
    },
    take: async (name, limit) => (await takeExpected(name)) ?? take(name, limit),
  };
}

function takeOverIpc(supervisor: SteadyPeer): Pick<Slots, 'take'> {
  const held = new Map<number, string>();
  let last = 0;
  supervisor.onConnect((peer) => {
    const all = [...held];
    // In pieces: a frame has a bound, and every session is one.
    for (let at = 0; at === 0 || at < all.length; at += maxHeldAtOnce)
      peer.notify(heldMethod, all.slice(at, at + maxHeldAtOnce));
  });
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
export function serveSlots(slots: SharedSlots, ready?: Promise<unknown>): ServedPort {
  const holdings = createHoldings(() => new Map<number, Promise<GiveBack | undefined>>());
  // Where its worker has died or changed its mind meanwhile, it goes back as soon as it is there.
  const giveBack = (taking: Promise<GiveBack | undefined> | undefined) =>
    void taking?.then(
      (give) => give?.(),
      () => {},
    );
  return {
    handlersFor(worker) {
      const held = holdings.of(worker);
      async function take(slot: number, name: string, limit: number): Promise<boolean> {
        const taking = held.get(slot) ?? slots.take(name, limit);
        held.set(slot, taking);
        let isTaken = false;
        try {
          isTaken = (await taking) !== undefined;
          return isTaken;
        } finally {
          if (!isTaken && held.get(slot) === taking) held.delete(slot);
        }
      }
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
            giveBack(held.get(asCount(slot)));
            held.delete(asCount(slot));
          },
        ],
        [
          heldMethod,
          (params) => {
            for (const each of asList(params)) {
              const [slot, name] = asList(each);
              if (!held.has(asCount(slot)))
                held.set(asCount(slot), Promise.resolve(slots.adopt(asText(name))));
            }
          },
        ],
      ];
    },
    gone(worker) {
      for (const taking of holdings.take(worker)?.values() ?? []) giveBack(taking);
    },
  };
}
