/**
 * What both ends of the rcp protocol say to each other: lines, file content, and after each a byte that
 * is 0, or 1 (a warning) or 2 (the end) with a line of text. OpenSSH's scp.c is its only description.
 */
import type { Readable, Writable } from 'node:stream';
import { printable } from '../../../platform/printable.ts';
import { drained } from '../sftp/drained.ts';
import { FileFailure } from '../sftp/file-operations.ts';

export interface Conversation {
  /** Warnings so far, of either side. */
  readonly warnings: number;
  /** Without its line feed, one character per byte; undefined where the client has ended. Throws ScpEnd. */
  readLine(): Promise<string | undefined>;
  /** Exactly so many bytes, in the pieces they came in. Throws ScpEnd where the client ends before. */
  readData(bytes: number): Promise<readonly Buffer[]>;
  /** Waits while the client reads slowly. */
  send(data: Buffer | string): Promise<void>;
  /** What went wrong with one file; the others go on. Throws what is no FileFailure. */
  warn(path: string, error: unknown): Promise<void>;
  /** Whether the client has taken what was sent. Throws ScpEnd where it gives up. */
  readAnswer(): Promise<boolean>;
}

/** Nothing more can be said; the message, where there is one, is for the client. */
export class ScpEnd extends Error {
  override readonly name = 'ScpEnd';
}

export const acknowledgement = Buffer.from([0]);
const warning = '\x01';
const ending = '\x02';
/** A name of 4,096 bytes, with what stands before it. */
const maxLineBytes = 4_352;
const maxReasonLength = 300;
const lineFeed = 0x0a;

/** `path` and `message` are a peer's. */
export function textFor(path: string, message: string): string {
  const name = Buffer.from(path, 'latin1').toString().slice(-maxReasonLength);
  return printable(`scp: ${name ? `${name}: ` : ''}${message}`);
}

export const warningLine = (text: string) => Buffer.from(`${warning}${text}\n`);
export const endingLine = (text: string) => Buffer.from(`${ending}${text}\n`);

export function createConversation(input: Readable, output: Writable, closed: AbortSignal): Conversation {
  const { hold, take, readLine } = createByteReader(input);
  let warnings = 0;
  const send = async (data: Buffer | string) => {
    if (!output.write(data, 'latin1')) await drained(output, closed);
    if (closed.aborted) throw new ScpEnd('');
  };

  return {
    get warnings() {
      return warnings;
    },
    readLine,
    async readData(bytes) {
      const parts: Buffer[] = [];
      for (let missing = bytes; missing > 0; missing -= parts.at(-1)!.length) {
        if (!(await hold())) throw new ScpEnd('lost connection');
        parts.push(take(missing));
      }
      return parts;
    },
    send,
    async warn(path, error) {
      if (!(error instanceof FileFailure)) throw error;
      warnings += 1;
      await send(warningLine(textFor(path, error.message)));
    },
    async readAnswer() {
      if (!(await hold())) throw new ScpEnd('lost connection');
      const [kind] = take(1);
      if (kind === 0) return true;
      await readLine();
      warnings += 1;
      // The client has said itself what is wrong.
      if (kind !== warning.charCodeAt(0)) throw new ScpEnd('');
      return false;
    },
  };
}

/** Takes a stream apart in the pieces that the protocol has. */
function createByteReader(input: Readable) {
  const chunks: AsyncIterator<Buffer> = input[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);

  /** False at the client's end. */
  const hold = async (): Promise<boolean> => {
    while (held.length === 0) {
      const next = await chunks.next().catch(() => ({ done: true, value: undefined }) as const);
      if (next.done) return false;
      held = next.value as Buffer<ArrayBuffer>;
    }
    return true;
  };
  /** So many bytes of what is held, or all of it. */
  const take = (bytes: number): Buffer => {
    const taken = held.subarray(0, bytes);
    held = held.subarray(bytes);
    return taken;
  };
  const readLine = async () => {
    const parts: Buffer[] = [];
    let bytes = 0;
    while (await hold()) {
      const end = held.indexOf(lineFeed);
      const part = take(end < 0 ? held.length : end + 1);
      parts.push(part);
      bytes += part.length;
      if (bytes > maxLineBytes) throw new ScpEnd('protocol error: a line is too long');
      if (end >= 0) return Buffer.concat(parts).toString('latin1', 0, bytes - 1);
    }
    if (bytes > 0) throw new ScpEnd('lost connection');
    return undefined;
  };
  return { hold, take, readLine };
}
