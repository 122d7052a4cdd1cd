/**
 * The input that a surface's process works on, in a file that outlives it: whatever ends the process, and if it never
 * ends, the input is known. A number of the input, whether it is under way, its length and its bytes.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const headBytes = 16;

export interface CurrentInput {
  readonly index: number;
  readonly isUnderWay: boolean;
  readonly input: Buffer;
}

export interface CurrentInputWriter {
  begin(index: number, input: Buffer): void;
  done(): void;
  close(): void;
}

export function openCurrentInput(file: string): CurrentInputWriter {
  const fd = openSync(file, 'w+', 0o600);
  const head = Buffer.alloc(headBytes);
  return {
    begin(index, input) {
      head.writeDoubleBE(index);
      head.writeUInt32BE(1, 8);
      head.writeUInt32BE(input.length, 12);
      const whole = Buffer.concat([head, input]);
      writeSync(fd, whole, 0, whole.length, 0);
    },
    done() {
      head.writeUInt32BE(0, 8);
      writeSync(fd, head, 0, headBytes, 0);
    },
    close: () => closeSync(fd),
  };
}

/** Undefined before the first input. */
export function readCurrentInput(file: string): CurrentInput | undefined {
  const bytes = readFileSync(file);
  if (bytes.length < headBytes) return undefined;
  return {
    index: bytes.readDoubleBE(),
    isUnderWay: bytes.readUInt32BE(8) === 1,
    input: bytes.subarray(headBytes, headBytes + bytes.readUInt32BE(12)),
  };
}
