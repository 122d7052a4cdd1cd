/** An SFTP session in a container without an sftp-server, through the helper script in one exec. */
import { PassThrough, Writable } from 'node:stream';
import { GatewayError } from '../../../errors.ts';
import type { SessionEnd, SessionIo } from '../../../sessions/session.ts';
import { createHelperChannel } from './helper-channel.ts';
import { MalformedMessage } from './messages.ts';
import { serveSftp } from './sftp-server.ts';
import { createShellFiles } from './shell-files.ts';

/** Runs the helper script with these streams, to its end. */
export type RunHelper = (io: SessionIo) => Promise<SessionEnd>;

const maxStderrBytes = 4_096;

/** Ends with status 0 at the client's EOF; throws what the helper's program ended with where that came first. */
export async function runSftpSession(
  io: SessionIo,
  runHelper: RunHelper,
  homes: ReadonlyMap<string, string>,
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
    const served = serveSftp(io.stdin, io.stdout, createShellFiles(helper, homes), closed).catch((error) => {
      throw error instanceof MalformedMessage ? new GatewayError('sftp-malformed', {}) : error;
    });
    served.catch(() => {});
    const first = await Promise.race([served.then(() => undefined), left]);
    if (first) return first;
    toHelper.end();
    return await left;
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
