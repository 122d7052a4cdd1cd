/** Streams whose other end is an input. */
import { Duplex, Readable, Writable } from 'node:stream';
import type { Random } from './random.ts';

/** In pieces, as a network would bring it; the end comes with the last. */
export function readableOf(input: Buffer): Readable {
  const stream = new Readable({ read() {} });
  for (const piece of piecesOf(input)) stream.push(piece);
  stream.push(null);
  return stream;
}

/** Takes everything, and counts it. */
export function createSink(): Writable & { bytes: number; readonly first: () => Buffer } {
  const kept: Buffer[] = [];
  const sink = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        sink.bytes += chunk.length;
        if (kept.length < 64) kept.push(chunk);
        done();
      },
    }),
    { bytes: 0, first: () => Buffer.concat(kept) },
  );
  return sink;
}

/** Says `input`, whatever it is told, and then ends. */
export function peerThatSays(input: Buffer): Duplex {
  const pieces = piecesOf(input);
  return new Duplex({
    read() {
      setImmediate(() => this.push(pieces.shift() ?? null));
    },
    write: (_chunk, _encoding, done) => done(),
  });
}

/** Where it is cut follows from the input itself: a replay cuts it at the same places. */
function piecesOf(input: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < input.length; ) {
    const length =
      1 + (((input[at] as number) * 7 + input.length) % 97) * ((input[at] as number) % 5 === 0 ? 1 : 40);
    pieces.push(input.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** A list of messages as one input: each behind its length. */
export const joinMessages = (messages: readonly Buffer[]): Buffer =>
  Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    }),
  );

/** What is left of them in an input from which pieces were taken. */
export function splitMessages(input: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 4 <= input.length; ) {
    const length = input.readUInt32BE(at);
    messages.push(input.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}

/** Some of them left out, doubled, or in another order. */
export function shuffled(messages: readonly Buffer[], random: Random): Buffer[] {
  const changed = [...messages];
  for (let left = random.below(4); left > 0 && changed.length > 0; left--) {
    const at = random.below(changed.length);
    const acts = [
      () => changed.splice(at, 1),
      () => changed.splice(at, 0, changed[at] as Buffer),
      () => changed.splice(random.below(changed.length), 0, ...changed.splice(at, 1)),
    ];
    random.pick(acts)();
  }
  return changed;
}
