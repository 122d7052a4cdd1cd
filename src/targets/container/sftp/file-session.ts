/** A session about files in a container that has neither the program for it nor a resident, through the helper script in one exec. */
import { PassThrough, Writable } from 'node:stream';
import { GatewayError } from '../../../errors.ts';
import type { SessionEnd, SessionIo } from '../../../sessions/session.ts';
import type { FileOperations } from './file-operations.ts';
import { createHelperChannel } from './helper-channel.ts';
import { MalformedMessage } from './messages.ts';
import { createShellFiles } from './shell-files.ts';

/** Runs the helper script with these streams, to its end. */
export type RunHelper = (io: SessionIo) => Promise<SessionEnd>;

/** Speaks the client's protocol to its end, and resolves to the exit status. */
export type ServeFiles = (files: FileOperations, closed: AbortSignal) => Promise<number>;

const maxStderrBytes = 4_096;

/** Ends as `serve` does, or as the helper's program where that ended first. Throws `sftp-malformed`. */
export async function runFileSession(
  io: SessionIo,
  runHelper: RunHelper,
  homes: ReadonlyMap<string, string>,
  serve: ServeFiles,
): Promise<SessionEnd> {
  const ending = new AbortController();
  const closed = AbortSignal.any([io.closed, ending.signal]);
  const toHelper = new PassThrough({ highWaterMark: 1024 * 1024 });
  const helper = createHelperChannel(toHelper);
  const running = runHelper({
    stdin: toHelper,
    stdout: sink((chunk) => helper.feed(chunk)),
    stderr: boundedSink(io.stderr),
    onWindowChange: () => {},
    onSignal: () => {},
    closed,
  });
  const left = running.finally(() => helper.end());
  left.catch(() => {});
  try {
    const served = serve(createShellFiles(helper, homes), closed).catch((error) => {
      throw error instanceof MalformedMessage ? new GatewayError('sftp-malformed', {}) : error;
    });
    served.catch(() => {});
    const first = await Promise.race([served.then(() => undefined), left]);
    if (first) return first;
    toHelper.end();
    await left;
    return { exitStatus: await served };
  } finally {
    ending.abort();
  }
}

const sink = (onData: (chunk: Buffer) => void) =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      onData(chunk);
      done();
    },
  });

/** The script itself is silent there; what comes is a shell's complaint, worth a few lines. */
function boundedSink(to: Writable): Writable {
  let bytes = 0;
  return sink((chunk) => {
    const part = chunk.subarray(0, maxStderrBytes - bytes);
    bytes += part.length;
    if (part.length > 0) to.write(part);
  });
}
