/**
 * A program that turns out to move much: the gateway takes its pipes over from the resident. Both outputs change hands at a
 * mark in the stream, and stdin at another, when the resident has written all that came before.
 */
import { Writable } from 'node:stream';
import type { SessionIo } from '../../../sessions/session.ts';
import type { Mark } from '../frames.ts';
import type { InsideConnection } from '../sidecar/inside-connection.ts';
import { type CarriedOutput, carryOutput } from './carry-by-pipes.ts';
import type { PipeEnds, ResidentProcess } from './resident-process.ts';

/** It costs a way to the resident and back. */
const worthItBytes = 1024 * 1024;

export interface TakeOver {
  /** So much has passed by the stream. */
  note(bytes: number): void;
  marked(mark: Mark): void;
  /** The program has exited. Resolves when all that it wrote was handed over, at once where nothing was taken over. */
  finish(): Promise<void>;
  close(): void;
}

export interface TakeOverParts {
  readonly process: ResidentProcess;
  readonly inside: InsideConnection;
  readonly pid: number;
  readonly io: SessionIo;
  /** Resolves when what came by the stream has been handed over. */
  readonly flushed: () => Promise<void>;
  readonly input: SwitchedInput;
  /** The resident has let go, and the pipes are not to be had. */
  readonly onFailure: () => void;
}

export interface SwitchedInput {
  readonly isOpen: () => boolean;
  /** Nothing is sent until `goOn`. */
  hold(): void;
  /** Nothing more comes by the stream. */
  endStream(): void;
  /** Undefined: by the stream, as before. */
  goOn(to: Writable | undefined): void;
}

export function createTakeOver({
  process,
  inside,
  pid,
  io,
  flushed,
  input,
  onFailure,
}: TakeOverParts): TakeOver {
  const outputsMarked = Promise.withResolvers<void>();
  const inputMarked = Promise.withResolvers<void>();
  let hasMark = false;
  let bytes = 0;
  let pipes: PipeEnds | undefined;
  let begun: Promise<void> | undefined;
  let output: CarriedOutput | undefined;
  let isClosed = false;

  async function begin(): Promise<void> {
    const hasInput = input.isOpen();
    if (hasInput) input.hold();
    const lent = await inside.ask(`/take-over?pid=${pid}`).catch(() => undefined);
    if (isClosed) return lent?.cancel();
    // The program has just exited: the resident carries the rest.
    if (!lent) return hasInput ? input.goOn(undefined) : undefined;
    pipes = process.openPipes(lent.headers['x-fds']);
    lent.stream.end().resume();
    if (!pipes) return onFailure();
    if (hasInput) {
      input.endStream();
      const to = pipes.stdin ?? dropped();
      void inputMarked.promise.then(() => (isClosed ? undefined : input.goOn(to)));
    } else pipes.stdin?.destroy();
    await outputsMarked.promise;
    await flushed();
    if (!isClosed) output = carryOutput(pipes, io);
  }

  return {
    note(more) {
      const before = bytes;
      bytes += more;
      if (before < worthItBytes && bytes >= worthItBytes) begun = begin();
    },
    marked(mark) {
      if (mark === 'input') return inputMarked.resolve();
      hasMark = true;
      outputsMarked.resolve();
    },
    async finish() {
      if (!hasMark) return;
      await begun;
      await output?.finish();
    },
    close() {
      isClosed = true;
      pipes?.close();
    },
  };
}

const dropped = () => new Writable({ write: (_chunk, _encoding, done) => done() });
