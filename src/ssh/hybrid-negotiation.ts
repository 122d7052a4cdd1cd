/** How ssh2 is led to the post-quantum exchange, which it does not know (library-traps 17). */
import { answerHybridInit, hybridKexName } from './hybrid-key-exchange.ts';
import { replaceChosenKex } from './kexinit.ts';
import type { Ssh2Protocol } from './ssh2-shapes.ts';

/** What ssh2 takes the hybrid exchange for, until its numbers are replaced. */
const standIn = 'curve25519-sha256';

/**
 * When a KEXINIT leads to the hybrid exchange, ssh2 is shown one that leads to the stand-in; then the real
 * one, which is what is hashed, is put back and the stand-in's computations are replaced.
 */
export function withHybridKex(
  protocol: Ssh2Protocol,
  payload: Buffer,
  handle: (payload: Buffer) => unknown,
): unknown {
  const shown = replaceChosenKex(payload, protocol._offer.lists.kex.array, hybridKexName, standIn);
  if (!shown) return handle(payload);
  const result = handle(shown);
  const exchange = protocol._kex;
  if (exchange?._remoteKexinit !== shown) return result;
  exchange._remoteKexinit = payload;
  exchange.negotiated.kex = hybridKexName;
  let reply: Buffer = Buffer.alloc(0);
  exchange.convertPublicKey = (key) => key;
  exchange.getPublicKey = () => reply;
  exchange.computeSecret = (init) => {
    try {
      const answer = answerHybridInit(init);
      reply = answer.reply;
      return answer.sharedSecret;
    } catch (error) {
      return error as Error;
    }
  };
  return result;
}
