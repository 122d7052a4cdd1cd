/** Writing answers: JSON and text that cannot drive a terminal, line ends as a pty needs them. */

import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { printable } from '../../platform/printable.ts';
import type { SessionIo, SessionRequest } from '../../sessions/session.ts';

/** One line of JSON. What JSON leaves raw but a terminal may act on (DEL, C1, overrides) is escaped as \uNNNN. */
export function toJson(data: unknown): string {
  return JSON.stringify(data).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Every line printable; the newlines between them stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

export interface Output {
  /** Resolves when the peer took it, or is gone. Adds the trailing newline. */
  answer(text: string): Promise<void>;
  /** `postern: SENTENCE` on stderr. */
  complain(sentence: string): Promise<void>;
}

/** Output of a session: with a pty, line ends become CR LF, as no terminal driver adds them here. */
export function createOutput(io: SessionIo, { pty }: SessionRequest): Output {
  const asSent = (text: string) => (pty ? text.replaceAll('\n', '\r\n') : text);
  return {
    answer: (text) => writeAll(io.stdout, asSent(`${text}\n`), io.closed),
    complain: (sentence) => writeAll(io.stderr, asSent(`postern: ${printable(sentence)}\n`), io.closed),
  };
}

/** A program's output for people to watch, on stderr and at their pace: what could drive a terminal is shown, not done. */
export function createProgress(io: SessionIo, { pty }: SessionRequest): Writable {
  const decoder = new StringDecoder('utf8');
  const asShown = (text: string) => printableLines(text.replace(/\r+\n?/g, '\n')).replaceAll('\\x09', ' ');
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const text = asShown(decoder.write(chunk));
      writeAll(io.stderr, pty ? text.replaceAll('\n', '\r\n') : text, io.closed).then(() => done(), done);
    },
  });
}

/** Resolves when `text` was handed over, the stream failed, or `closed` fired. */
export async function writeAll(stream: Writable, text: string | Buffer, closed: AbortSignal): Promise<void> {
  if (stream.writableEnded || stream.destroyed) return;
  if (closed.aborted) {
    // The session is being ended, perhaps by this very command: its answer may still arrive, but nobody waits.
    stream.write(text, () => undefined);
    return;
  }
  await new Promise<void>((resolve) => {
    const done = () => {
      closed.removeEventListener('abort', done);
      resolve();
    };
    closed.addEventListener('abort', done, { once: true });
    stream.write(text, done);
  });
}
