/** What is taken down of a session, by its kind. A promise is returned where the session should wait for the disk. */
import { StringDecoder } from 'node:string_decoder';
import { type FileLog, type FileLogListener, type FileOperation, operationText } from './file-operation.ts';
import type { Recording } from './recordings.ts';

type Wait = Promise<void> | undefined;

export interface SessionTap {
  /** Set where the tap has to see what the client sends. */
  readonly input?: (bytes: Buffer) => Wait;
  output(bytes: Buffer): Wait;
  errors(bytes: Buffer): Wait;
  resized(columns: number, rows: number): void;
  end(): void;
}

export interface TapRules {
  /** What people type, or send to a program, is recorded too. */
  readonly input: boolean;
  /** Of a program without a terminal: of each, output and input. */
  readonly maxExecBytes: number;
}

type Write = (code: 'o' | 'i', text: string) => Wait;

/** A character may be cut in two by a chunk's end. Bytes that are no UTF-8 become U+FFFD. */
function decoded(write: Write, code: 'o' | 'i'): (bytes: Buffer) => Wait {
  const decoder = new StringDecoder('utf8');
  return (bytes) => {
    const text = decoder.write(bytes);
    return text === '' ? undefined : write(code, text);
  };
}

export function tapTerminal(recording: Recording, { input }: TapRules): SessionTap {
  const output = decoded(recording.write, 'o');
  return {
    ...(input ? { input: decoded(recording.write, 'i') } : {}),
    output,
    errors: decoded(recording.write, 'o'),
    resized: (columns, rows) => void recording.write('r', `${columns}x${rows}`),
    end: () => {},
  };
}

/** Of both outputs what fits, in the order it came, with line ends as a terminal shows them. */
export function tapExec(recording: Recording, { input, maxExecBytes }: TapRules): SessionTap {
  const bounded = (what: string) => {
    let left = maxExecBytes;
    return (write: (bytes: Buffer) => Wait) =>
      (bytes: Buffer): Wait => {
        if (left <= 0) return undefined;
        const part = bytes.subarray(0, left);
        left -= part.length;
        const wait = write(part);
        if (left > 0) return wait;
        return recording.write('m', `more ${what} is left out: over ${maxExecBytes} bytes`) ?? wait;
      };
  };
  const toTerminal = (): Write => {
    let endedInReturn = false;
    return (code, text) => {
      const shown = text.replace(/\r?\n/g, (end, at) =>
        at === 0 && endedInReturn && end === '\n' ? '\n' : '\r\n',
      );
      endedInReturn = text.endsWith('\r');
      return recording.write(code, shown);
    };
  };
  const output = bounded('output');
  return {
    ...(input ? { input: bounded('input')(decoded(recording.write, 'i')) } : {}),
    output: output(decoded(toTerminal(), 'o')),
    errors: output(decoded(toTerminal(), 'o')),
    resized: () => {},
    end: () => {},
  };
}

/** A log of what was done to files. What is not the protocol that it should be is recorded by `plain`. */
export function tapFiles(
  recording: Recording,
  plain: SessionTap,
  createLog: (listener: FileLogListener) => FileLog,
): SessionTap {
  let isLost = false;
  let wait: Wait;
  const log = createLog({
    onOperation: (operation: FileOperation) => {
      recording.write('x', JSON.stringify({ file: operation }));
      wait = recording.write('o', `${operationText(operation)}\r\n`) ?? wait;
    },
    onLost: () => {
      isLost = true;
      recording.write('m', 'this is no file transfer: its output follows as it is');
    },
  });
  const follow = (feed: (bytes: Buffer) => void, otherwise: (bytes: Buffer) => Wait) => (bytes: Buffer) => {
    if (!isLost) feed(bytes);
    if (isLost) return otherwise(bytes);
    const waited = wait;
    wait = undefined;
    return waited;
  };
  return {
    input: follow(log.fromClient, (bytes) => plain.input?.(bytes)),
    output: follow(log.fromServer, plain.output),
    errors: plain.errors,
    resized: plain.resized,
    end: log.end,
  };
}
