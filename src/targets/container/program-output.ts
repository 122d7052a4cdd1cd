/**
 * Carries a program's output from the engine to the client: at the client's pace, bounded, in order,
 * and to its very end before anybody asks for the exit status.
 */
import type { Duplex, Writable } from 'node:stream';
import { createExitWatch } from './exit-watch.ts';
import { createFrameReader, type OutputStream } from './frames.ts';
import { createLaunchGate, type LaunchGate } from './launch-gate.ts';
import { createOutbox } from './outbox.ts';

export interface ProgramOutput {
  /** Resolves when the program is known to run, to its pid if it was told; or when output is complete. */
  readonly launched: Promise<number | undefined>;
  /** Resolves when there is no more to come: EOF, or the exit and then silence. */
  readonly complete: Promise<void>;
  /** What came in the program's place, if it never ran. */
  takeHeld: LaunchGate['takeHeld'];
  readonly hasLaunched: () => boolean;
  push(stream: OutputStream, data: Buffer): void;
  flushed(): Promise<void>;
  /** The client is gone: read on, deliver nothing. */
  discard(): void;
}

const holdAboveBytes = 2 * 1024 * 1024;
const roomBelowBytes = 1024 * 1024;
/**
 * Once the program has exited the engine throws away what was not read within 2 s. All that it and
 * the pipes can hold then is taken in at once, however slow the client.
 */
const holdAboveAfterExitBytes = 7 * 1024 * 1024;

export function carryOutput(facts: {
  readonly stream: Duplex;
  readonly tty: boolean;
  readonly marker: string | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly isRunning: () => Promise<boolean>;
}): ProgramOutput {
  const { stream, tty } = facts;
  const launched = Promise.withResolvers<number | undefined>();
  const complete = Promise.withResolvers<void>();
  let limit = holdAboveBytes;
  let discarding = false;
  const outbox = createOutbox(roomBelowBytes, () => stream.resume());
  const push = (to: OutputStream, data: Buffer) => outbox.push(facts[to], data);
  const gate = createLaunchGate({
    marker: facts.marker,
    lineStream: tty ? 'stdout' : 'stderr',
    onOutput: push,
    onOpen: launched.resolve,
  });
  const finish = () => {
    watch.stop();
    launched.resolve(undefined);
    complete.resolve();
  };
  const watch = createExitWatch({
    isRunning: facts.isRunning,
    isHeld: () => stream.isPaused(),
    onExit: () => {
      limit = holdAboveAfterExitBytes;
      stream.resume();
    },
    onComplete: finish,
  });
  const read = tty ? (chunk: Buffer) => gate.feed('stdout', chunk) : createFrameReader(gate.feed);
  stream.on('data', (chunk: Buffer) => {
    watch.noteOutput();
    try {
      read(chunk);
    } catch {
      stream.destroy();
    }
    if (!discarding && outbox.bytes > limit) stream.pause();
  });
  stream.on('end', finish).on('close', finish);
  return {
    launched: launched.promise,
    complete: complete.promise,
    takeHeld: gate.takeHeld,
    hasLaunched: () => gate.isOpen,
    push,
    flushed: outbox.flushed,
    discard() {
      discarding = true;
      outbox.discard();
      stream.resume();
    },
  };
}
