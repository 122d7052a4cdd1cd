/** File transfer that no program of the image speaks: the resident does, as the session's user, where the files are. */
import type { Duplex } from 'node:stream';
import { GatewayError } from '../../../errors.ts';
import type { SessionEnd, SessionIo } from '../../../sessions/session.ts';
import type { ScpTransfer } from '../scp/scp-command.ts';
import type { Answered } from '../sidecar/inside-connection.ts';
import type { Question } from './ask-resident.ts';

/** What the stream begins with for `/scp`: a line of JSON, before the client's own bytes. */
const headOf = (transfer: ScpTransfer) => Buffer.from(`${JSON.stringify(transfer)}\n`);

/** What a resident is asked; `home` is where relative paths begin. */
export function filesQuestion(transfer: 'sftp' | ScpTransfer, home: string): Question {
  const query = new URLSearchParams({ home: Buffer.from(home).toString('latin1') });
  return transfer === 'sftp' ? { path: `/sftp?${query}` } : { path: `/scp?${query}`, body: headOf(transfer) };
}

/**
 * Carries the session's bytes to what a resident answered and back, to the client's EOF.
 * Throws `sftp-malformed` where the client does not speak SFTP, and `engine-failed` where the resident is gone.
 */
export async function runFilesInside(io: SessionIo, { stream, cancel }: Answered): Promise<SessionEnd> {
  // What is merely destroyed goes on there, where it waits to write, and so holds its files open.
  io.closed.addEventListener('abort', cancel, { once: true });
  if (io.closed.aborted) cancel();
  io.stdin.pipe(stream);
  stream.pipe(io.stdout, { end: false });
  try {
    const status = await ended(stream);
    if (io.closed.aborted) return { exitStatus: 255 };
    if (status === undefined) return lost();
    if (status === 'malformed') throw new GatewayError('sftp-malformed', {});
    return { exitStatus: status === '0' ? 0 : 1 };
  } finally {
    io.closed.removeEventListener('abort', cancel);
    io.stdin.unpipe(stream);
    stream.destroy();
  }
}

function lost(): never {
  const reason = 'its helper program in the container has ended';
  throw new GatewayError('engine-failed', { reason });
}

/** The resident's status, once all was said; undefined where it was cut off, which in Node ends a stream as well. */
function ended(stream: Duplex): Promise<string | undefined> {
  return new Promise((resolve) => {
    let status: string | undefined;
    stream.once('trailers', (trailers: Readonly<Record<string, unknown>>) => {
      status = String(trailers['x-status']);
    });
    stream.once('end', () => status !== undefined && resolve(status));
    stream.once('close', () => resolve(status));
    stream.once('error', () => {});
  });
}
