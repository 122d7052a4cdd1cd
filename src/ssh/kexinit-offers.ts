/** What KEXINITs of ours name, as ssh2 keeps it. */
import { createRequire } from 'node:module';
import type { Ssh2Protocol } from './ssh2-shapes.ts';

type KexinitOffer = Ssh2Protocol['_offer'];

const { KexInit } = createRequire(import.meta.url)('ssh2/lib/protocol/kex.js') as {
  KexInit: new (lists: object) => KexinitOffer;
};

const offers = new Map<string, KexinitOffer>();

/** One for all who are offered the same. */
export function kexinitOffer(lists: object): KexinitOffer {
  const name = JSON.stringify(lists);
  const offer = offers.get(name) ?? makeOffer(lists);
  offers.set(name, offer);
  return offer;
}

/** No exchange, though it stands in their list: ssh2 would agree on it with a client that names it, and throw. */
const strictKexMark = 'kex-strict-s-v00@openssh.com';

function makeOffer(lists: object): KexinitOffer {
  const offer = new KexInit(lists);
  const { kex } = offer.lists;
  // What is sent was copied from it already.
  kex.array = kex.array.filter((name) => name !== strictKexMark);
  return offer;
}
