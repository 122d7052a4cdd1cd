/** Requests to the helper script and its answers, in order, over the two streams of its program. */
import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { failureFrom } from './failure-texts.ts';
import { FileFailure } from './file-operations.ts';

export interface HelperChannel {
  /** Resolves to what the operation wrote; rejects with FileFailure where its status is not 0. */
  ask(operation: string, words: readonly string[], data?: readonly Buffer[]): Promise<HelperAnswer>;
  /** What the program wrote to its stdout. */
  feed(chunk: Buffer): void;
  /** The program is gone: all that wait, and all that come, fail. */
  end(): void;
}

export interface HelperAnswer {
  /** What separates records of a listing. */
  readonly id: string;
  readonly output: Buffer;
}

interface Question {
  readonly id: string;
  readonly last: Buffer;
  readonly chunks: Buffer[];
  /** What may be the beginning of `last`, split between chunks. */
  tail: Buffer;
  bytes: number;
  readonly resolve: (answer: HelperAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** A folder of some 100,000 entries. */
const maxAnswerBytes = 16 * 1024 * 1024;
const gone = () => new FileFailure('failure', 'the container has ended the file transfer');

/** As `printf %b` reads it, in letters that no shell takes for anything else. `path` is latin1. */
export function encodeWord(path: string): string {
  return path.replace(/[^A-Za-z0-9._/]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

export function createHelperChannel(input: Writable): HelperChannel {
  const waiting: Question[] = [];
  let ended = false;

  return {
    ask(operation, words, data) {
      if (ended) return Promise.reject(gone());
      const id = randomBytes(16).toString('hex');
      const line = Buffer.from(`${[id, operation, ...words].join(' ')}\n`, 'latin1');
      const { promise, resolve, reject } = Promise.withResolvers<HelperAnswer>();
      waiting.push({
        id,
        last: Buffer.from(`:${id};`),
        chunks: [],
        tail: Buffer.alloc(0),
        bytes: 0,
        resolve,
        reject,
      });
      for (const part of [line, ...(data ?? [])]) input.write(part);
      return promise;
    },
    feed(chunk) {
      for (let rest: Buffer | undefined = chunk; rest?.length && waiting[0]; ) {
        const question: Question = waiting[0];
        rest = takeInto(question, rest);
        if (rest === undefined) return;
        waiting.shift();
        settle(question);
      }
    },
    end() {
      ended = true;
      for (const { reject } of waiting.splice(0)) reject(gone());
    },
  };
}

/** Settles it by all that came for it. */
function settle(question: Question): void {
  if (question.bytes > maxAnswerBytes) {
    return question.reject(new FileFailure('failure', 'there is too much of it'));
  }
  const all = Buffer.concat(question.chunks);
  const from = all.lastIndexOf(`${question.id}:`, all.length - question.last.length - 1);
  const told = all.subarray(from).toString('latin1');
  const [, status, error] = /^[0-9a-f]+:(\d+):([\s\S]*):[0-9a-f]+;$/.exec(told) ?? [];
  if (status === '0') question.resolve({ id: question.id, output: all.subarray(0, from) });
  else question.reject(failureFrom(error ?? ''));
}

/** Returns what follows its answer, undefined while it is not whole. */
function takeInto(question: Question, chunk: Buffer): Buffer | undefined {
  const { last, tail } = question;
  const border = Buffer.concat([tail, chunk.subarray(0, last.length - 1)]);
  const across = border.indexOf(last);
  const at = across < 0 ? chunk.indexOf(last) : across - tail.length;
  const isWhole = across >= 0 || at >= 0;
  const taken = isWhole ? chunk.subarray(0, at + last.length) : chunk;
  question.bytes += taken.length;
  if (question.bytes > maxAnswerBytes) question.chunks.length = 0;
  else question.chunks.push(taken);
  question.tail = (
    chunk.length < last.length ? border : Buffer.from(chunk.subarray(1 - last.length))
  ).subarray(1 - last.length);
  return isWhole ? chunk.subarray(taken.length) : undefined;
}
