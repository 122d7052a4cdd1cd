/** A session's streams with somebody looking on: the same bytes in the same order, no faster than whoever looks wants them. */
import { type Readable, Transform, Writable } from 'node:stream';
import { aborted } from '../platform/aborted.ts';
import { unlessAborted } from '../platform/unless-aborted.ts';
import type { SessionTap } from '../recordings/session-taps.ts';
import type { SessionIo } from './session.ts';

export interface TappedIo {
  readonly io: SessionIo;
  /** Resolves when all that was written has been handed on, or nobody wants it any more. */
  flushed(): Promise<void>;
}

export function tapIo(io: SessionIo, tap: SessionTap, closed: AbortSignal): TappedIo {
  const stdout = tapWritable(io.stdout, tap.output, closed);
  const stderr = tapWritable(io.stderr, tap.errors, closed);
  const input = tap.input && tapReadable(io.stdin, tap.input, closed);
  return {
    io: {
      ...io,
      closed,
      stdin: input ?? io.stdin,
      stdout,
      stderr,
      onWindowChange: (listener) =>
        io.onWindowChange((size) => {
          tap.resized(size.columns, size.rows);
          listener(size);
        }),
    },
    async flushed() {
      if (input) io.stdin.unpipe(input);
      await Promise.all([ended(stdout, closed), ended(stderr, closed)]);
    },
  };
}

type Look = (bytes: Buffer) => Promise<void> | undefined;

const highWaterMark = 64 * 1024;

function tapWritable(target: Writable, look: Look, closed: AbortSignal): Writable {
  const isGone = () => closed.aborted || target.destroyed || target.writableEnded;
  // What listens is set up once: at every chunk that costs more than all else here.
  let waiting: (() => void) | undefined;
  const goOn = () => {
    const done = waiting;
    waiting = undefined;
    done?.();
  };
  const tapped = new Writable({
    highWaterMark,
    write(chunk: Buffer, _encoding, done) {
      const pass = () => {
        if (isGone() || target.write(chunk) || isGone()) done();
        else waiting = done;
      };
      const wait = look(chunk);
      if (wait) void unlessAborted(wait, closed).then(pass, pass);
      else pass();
    },
  });
  for (const event of events) target.on(event, goOn);
  closed.addEventListener('abort', goOn, { once: true });
  tapped.once('close', () => {
    for (const event of events) target.off(event, goOn);
    closed.removeEventListener('abort', goOn);
  });
  // What comes too late is nobody's.
  tapped.on('error', () => {});
  return tapped;
}

function tapReadable(source: Readable, look: Look, closed: AbortSignal): Transform {
  const tapped = new Transform({
    highWaterMark,
    transform(chunk: Buffer, _encoding, done) {
      const wait = look(chunk);
      const pass = () => done(null, chunk);
      if (wait) void unlessAborted(wait, closed).then(pass, pass);
      else pass();
    },
  });
  tapped.on('error', () => {});
  if (source.readableEnded) tapped.end();
  else source.pipe(tapped);
  return tapped;
}

/** When a stream takes more, or never will. */
const events = ['drain', 'close', 'error'] as const;

async function ended(stream: Writable, closed: AbortSignal): Promise<void> {
  const finished = new Promise<void>((resolve) => stream.once('finish', resolve).once('close', resolve));
  stream.end();
  await Promise.race([finished, aborted(closed)]);
}
