import { Writable } from 'node:stream';
import type { WindowSize } from '../../sessions/session.ts';

/** What node:readline needs of a terminal: a stream with a size that may change. */
export interface TerminalOutput extends Writable {
  readonly columns: number;
  readonly rows: number;
  resize(size: WindowSize): void;
}

/** A terminal over a session's stdout; a size of 0 counts as 80×24 (RFC 4254 §6.2: 0 is to be ignored). */
export function createTerminalOutput(stdout: Writable, initial: WindowSize): TerminalOutput {
  let size = initial;
  const output = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      if (stdout.writableEnded || stdout.destroyed) done();
      else stdout.write(chunk, () => done());
    },
  });
  return Object.defineProperties(output, {
    columns: { get: () => clamp(size.columns, 80) },
    rows: { get: () => clamp(size.rows, 24) },
    resize: {
      value: (changed: WindowSize) => {
        size = changed;
        output.emit('resize');
      },
    },
  }) as TerminalOutput;
}

const clamp = (length: number, otherwise: number) => (length > 0 ? Math.min(length, 1000) : otherwise);
