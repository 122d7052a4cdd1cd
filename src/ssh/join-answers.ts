/** A login's answers, several to a piece of data, in one write: each costs a way through the kernel to the peer. */
import type { Duplex } from 'node:stream';
import type { Ssh2Protocol } from './ssh2-shapes.ts';

/** What ssh2 answers to a piece of data leaves at its end, until `isOver`. */
export function joinAnswers(protocol: Ssh2Protocol, transport: Duplex, isOver: () => boolean): void {
  const parse = protocol.parse;
  protocol.parse = (...args) => {
    if (isOver()) return parse.apply(protocol, args);
    transport.cork();
    try {
      parse.apply(protocol, args);
    } finally {
      transport.uncork();
    }
  };
}

/** What is written in this tick leaves at its end. */
export function joinTick(transport: Duplex): void {
  transport.cork();
  process.nextTick(() => transport.uncork());
}
