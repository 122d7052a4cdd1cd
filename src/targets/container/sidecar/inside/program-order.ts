/** What the gateway wants started: it comes before stdin, 4 bytes of length and JSON. Imports nothing but Node. */
import type { Duplex } from 'node:stream';
import type { LaneSender } from './lane-stream.ts';
import type { Start } from './start-program.ts';

/** What a program's order came by, and its streams go by: of HTTP/2, or like one. */
export interface ProgramStream extends Duplex {
  respond(headers: Readonly<Record<string, number>>, options: { readonly waitForTrailers: true }): void;
  /** When it emits `wantTrailers`. */
  sendTrailers(trailers: Readonly<Record<string, number>>): void;
  /** Of those that go by a lane: a shorter way for its output. */
  readonly lane?: LaneSender;
}

export interface ProgramOrder extends Start {
  /** From HUP to TERM, when the client is gone. */
  readonly graceMs: number;
  /** What can become the same program when it has been started in advance, if anything. */
  readonly waiting?: WaitingLauncher;
}

export interface WaitingLauncher {
  readonly argv: readonly string[];
  /** What it waits for on its stdin; the program's own follows. */
  readonly told: string;
}

const lengthBytes = 4;
const maxBytes = 8 * 1024 * 1024;

/** What follows it stays in the stream. */
export function readOrder(stream: Duplex): Promise<ProgramOrder> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = () => {
      for (const [event, listener] of Object.entries(listeners)) stream.off(event, listener);
    };
    const fail = () => {
      done();
      reject(Object.assign(new Error('no order'), { code: 'EBADMSG' }));
    };
    const data = (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) return fail();
      if (bytes < lengthBytes) return;
      const all = chunks.length > 1 ? Buffer.concat(chunks) : chunk;
      const end = lengthBytes + all.readUInt32BE(0);
      if (bytes < end) return;
      done();
      stream.pause();
      if (bytes > end) stream.unshift(all.subarray(end));
      resolve(JSON.parse(all.toString('utf8', lengthBytes, end)) as ProgramOrder);
    };
    const listeners: Record<string, (chunk: Buffer) => void> = { data, end: fail, close: fail };
    for (const [event, listener] of Object.entries(listeners)) stream.on(event, listener);
  });
}
