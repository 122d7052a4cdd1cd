/**
 * An SFTP server, version 3: one request after the other, in the order they came, so that nothing a
 * client relies on is done before what it asked for first. WRITEs that follow each other in a file are
 * one write, answered when all of it was taken.
 */
import type { Readable, Writable } from 'node:stream';
import { drained } from './drained.ts';
import { offeredExtensions } from './extensions.ts';
import { FileFailure, type FileOperations } from './file-operations.ts';
import { closeHandle, createHandles } from './handles.ts';
import {
  createFieldReader,
  createMessageReader,
  type FieldReader,
  MalformedMessage,
  messageOf,
  messageTypes,
  uint32,
} from './messages.ts';
import { type Answer, type RequestParts, requestHandlers, statusAnswer } from './requests.ts';

const version = 3;
/** Reading from the client stops when that much is waiting. */
const maxWaitingBytes = 4 * 1024 * 1024;
const maxWriteBytes = 1024 * 1024;
const maxWaitingMessages = 4_096;

interface Write {
  readonly id: number;
  readonly handle: Buffer;
  readonly offset: number;
  readonly data: Buffer;
}

/**
 * Serves until the client's EOF, and resolves when all it asked for is answered. Throws MalformedMessage
 * where the client does not speak SFTP; rejects with what `stopped` rejects with.
 */
export async function serveSftp(
  input: Readable,
  output: Writable,
  files: FileOperations,
  closed: AbortSignal,
): Promise<void> {
  const handles = createHandles();
  const send = async (message: Buffer) => {
    if (!output.write(message)) await drained(output, closed);
  };
  const { write, serve } = createAnswering({ files, handles, pathOf: pathsFrom(files) }, send);
  let greeted = false;
  let writing = Promise.resolve();
  let lastWrite: Write | undefined;
  try {
    for await (const messages of batches(input)) {
      const queue = [...messages];
      while (queue.length > 0 && !closed.aborted) {
        if (!greeted) {
          greeted = true;
          greet(queue.shift()!);
          await send(messageOf(messageTypes.version, [uint32(version), ...offeredExtensions]));
          continue;
        }
        const writes = takeWrites(queue);
        const [first] = writes;
        if (first) {
          // The next is on its way while one is written, unless it could lie over that; whatever else waits for both.
          const before = writing;
          if (!(lastWrite && isNext(lastWrite, first))) await before;
          lastWrite = writes.at(-1);
          writing = write(writes, before);
          writing.catch(() => {});
          await before;
          continue;
        }
        await writing;
        await serve(queue.shift()!);
      }
      if (closed.aborted) return;
    }
    await writing;
  } finally {
    for (const each of handles.all) await closeHandle(each).catch(() => {});
  }
}

/** An empty path, and all that are not absolute, begin where the session does. */
function pathsFrom(files: FileOperations): RequestParts['pathOf'] {
  let home: Promise<string> | undefined;
  return async (path) => {
    if (path.startsWith('/')) return path;
    home ??= files.startFolder();
    return path === '' ? await home : `${await home}/${path}`;
  };
}

/** Does what is asked for, and sends the answers. */
function createAnswering(parts: RequestParts, send: (message: Buffer) => Promise<void>) {
  const reply = (id: number, { type, fields }: Answer) => send(messageOf(type, [uint32(id), ...fields]));
  return {
    /** Writes that follow one another in one file, at once; answered after `before`. */
    async write(writes: readonly Write[], before: Promise<void>): Promise<void> {
      let answer = statusAnswer('ok', 'Success');
      try {
        const [first] = writes as readonly [Write];
        const contents = writes.map(({ data }) => data);
        await parts.handles.getFile(first.handle).write(first.offset, contents);
      } catch (error) {
        answer = answerTo(error);
      }
      await before;
      for (const { id } of writes) await reply(id, answer);
    },
    async serve(message: Buffer): Promise<void> {
      const reader = createFieldReader(message);
      const type = reader.readByte();
      const id = readId(reader);
      await reply(id, await handle(type, reader, parts).catch(answerTo));
    },
  };
}

async function handle(type: number, reader: FieldReader, parts: RequestParts): Promise<Answer> {
  const handler = requestHandlers.get(type);
  // Only an unsound WRITE comes here.
  if (type === messageTypes.write) return statusAnswer('bad-message', 'Bad message');
  return handler ? handler(reader, parts) : statusAnswer('unsupported', 'Operation unsupported');
}

function greet(message: Buffer): void {
  const reader = createFieldReader(message);
  if (reader.readByte() !== messageTypes.init || reader.remaining < 4) malformed();
  if (reader.readUInt32() < version) malformed();
}

function malformed(): never {
  throw new MalformedMessage('that is not SFTP');
}

/** Without an id there is nobody to answer. */
function readId(reader: FieldReader): number {
  if (reader.remaining < 4) malformed();
  return reader.readUInt32();
}

function answerTo(error: unknown): Answer {
  if (error instanceof FileFailure) return statusAnswer(error.kind, error.message);
  if (error instanceof MalformedMessage) return statusAnswer('bad-message', 'Bad message');
  throw error;
}

/** Takes WRITEs that follow each other off the queue; none where the first is something else or unsound. */
function takeWrites(queue: Buffer[]): Write[] {
  const taken: Write[] = [];
  let bytes = 0;
  for (;;) {
    const write = queue[0] && parseWrite(queue[0]);
    const last = taken.at(-1);
    if (!write || bytes + write.data.length > maxWriteBytes) return taken;
    if (last && !isNext(last, write)) return taken;
    taken.push(write);
    bytes += write.data.length;
    queue.shift();
  }
}

/** Where `last` ends in the same open file. */
const isNext = (last: Write, write: Write): boolean =>
  write.handle.equals(last.handle) && write.offset === last.offset + last.data.length;

function parseWrite(message: Buffer): Write | undefined {
  if (message[0] !== messageTypes.write) return undefined;
  try {
    const reader = createFieldReader(message);
    reader.readByte();
    return {
      id: reader.readUInt32(),
      handle: reader.readString(),
      offset: reader.readUInt64(),
      data: reader.readString(),
    };
  } catch {
    return undefined;
  }
}

/** All messages that are waiting, at most so many bytes of them; the stream is read no further until they are done. */
async function* batches(input: Readable): AsyncGenerator<readonly Buffer[]> {
  const read = createMessageReader();
  const queue: Buffer[] = [];
  let bytes = 0;
  let ended = false;
  let failure: unknown;
  let wake = () => {};
  const onData = (chunk: Buffer) => {
    try {
      for (const message of read(chunk)) {
        queue.push(message);
        bytes += message.length;
      }
    } catch (error) {
      failure = error;
      ended = true;
      input.pause();
    }
    if (bytes > maxWaitingBytes || queue.length > maxWaitingMessages) input.pause();
    wake();
  };
  const onEnd = () => {
    ended = true;
    wake();
  };
  input.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', onEnd);
  if (input.readableEnded || input.destroyed) ended = true;
  try {
    for (;;) {
      if (queue.length > 0) {
        bytes = 0;
        yield queue.splice(0);
        if (!ended) input.resume();
        continue;
      }
      if (failure) malformed();
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    input.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onEnd);
  }
}
