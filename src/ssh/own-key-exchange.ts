/**
 * The key exchanges that are computed here, in place of ssh2: the post-quantum one, which it does not know (library-traps 17),
 * and curve25519, which costs it twice as much.
 */
import { answerHybridInit, hybridKexName } from './hybrid-key-exchange.ts';
import { isRightGuess, replaceChosenKex } from './kexinit.ts';
import type { Ssh2KeyExchange, Ssh2Protocol } from './ssh2-shapes.ts';
import { mpint } from './wire.ts';
import { answerX25519 } from './x25519.ts';

/** What ssh2 takes the hybrid exchange for, until its numbers are replaced. */
const standIn = 'curve25519-sha256';

interface Answer {
  /** Our half. */
  readonly reply: Buffer;
  /** K, as it is hashed as a string. */
  readonly secret: Buffer;
}

/** By the name of the exchange. Each throws on a half of theirs that is none. */
const answers: ReadonlyMap<string, (theirs: Buffer) => Answer> = new Map([
  [hybridKexName, hybridAnswer],
  [standIn, curveAnswer],
  ['curve25519-sha256@libssh.org', curveAnswer],
]);

function hybridAnswer(theirs: Buffer): Answer {
  const { reply, sharedSecret } = answerHybridInit(theirs);
  return { reply, secret: sharedSecret };
}

/** RFC 8731 §3.1: K is an mpint, whose length ssh2 puts in front. */
function curveAnswer(theirs: Buffer): Answer {
  const { publicKey, secret } = answerX25519(theirs);
  return { reply: publicKey, secret: mpint(secret).subarray(4) };
}

/**
 * When a KEXINIT leads to the hybrid exchange, ssh2 is shown one that leads to the stand-in; then the real
 * one, which is what is hashed, is put back. What ssh2 would compute is replaced.
 */
export function withOwnKex(
  protocol: Ssh2Protocol,
  payload: Buffer,
  handle: (payload: Buffer) => unknown,
): unknown {
  const { kex, serverHostKey } = protocol._offer.lists;
  const shown = replaceChosenKex(payload, kex.array, hybridKexName, standIn);
  const result = handle(shown ?? payload);
  // ssh2 passes over the packet behind any guess.
  protocol._skipNextInboundPacket &&= !isRightGuess(payload, {
    kex: kex.array,
    serverHostKey: serverHostKey.array,
  });
  const exchange = protocol._kex;
  if (exchange?._remoteKexinit !== (shown ?? payload)) return result;
  if (shown) {
    exchange._remoteKexinit = payload;
    exchange.negotiated.kex = hybridKexName;
  }
  const answer = answers.get(exchange.negotiated.kex);
  if (answer) computeBy(exchange, answer);
  return result;
}

function computeBy(exchange: Ssh2KeyExchange, answer: (theirs: Buffer) => Answer): void {
  let reply: Buffer = Buffer.alloc(0);
  exchange.convertPublicKey = (key) => key;
  exchange.getPublicKey = () => reply;
  exchange.computeSecret = (theirs) => {
    try {
      const answered = answer(theirs);
      reply = answered.reply;
      return answered.secret;
    } catch (error) {
      return error as Error;
    }
  };
}

const secrets = ['_keys', 'finish', 'computeSecret', 'getPublicKey', 'convertPublicKey'];
const forgotten = Object.fromEntries(secrets.map((name) => [name, undefined]));

/** ssh2 keeps the secrets of an exchange until the next one, and by its functions what they were made of. */
export function forgetSecrets(exchange: Ssh2KeyExchange): void {
  Object.assign(exchange, forgotten);
}
