/** SFTP in a container without an sftp-server: the resident speaks it, as the session's user, where the files are. */
import type { ClientHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../../../errors.ts';
import type { SessionEnd, SessionIo } from '../../../sessions/session.ts';
import type { InsideConnection } from '../sidecar/inside-connection.ts';

/**
 * Carries the session's bytes to the resident and back, to the client's EOF. `home` is where relative paths begin.
 * Throws `sftp-malformed` where the client does not speak SFTP, and `engine-failed` where the resident is gone.
 */
export async function runSftpInside(
  io: SessionIo,
  resident: InsideConnection,
  home: string,
): Promise<SessionEnd> {
  const path = Buffer.from(home).toString('latin1');
  const { stream } = await resident.ask(`/sftp?${new URLSearchParams({ home: path })}`).catch(lost);
  const leave = () => stream.destroy();
  io.closed.addEventListener('abort', leave, { once: true });
  if (io.closed.aborted) leave();
  io.stdin.pipe(stream);
  stream.pipe(io.stdout, { end: false });
  try {
    const reset = await ended(stream);
    if (io.closed.aborted || reset === undefined) return { exitStatus: io.closed.aborted ? 255 : 0 };
    if (reset === constants.NGHTTP2_PROTOCOL_ERROR) throw new GatewayError('sftp-malformed', {});
    return lost();
  } finally {
    io.closed.removeEventListener('abort', leave);
    io.stdin.unpipe(stream);
    stream.destroy();
  }
}

function lost(cause?: unknown): never {
  const reason = 'its helper program in the container has ended';
  throw new GatewayError('engine-failed', { reason }, { cause });
}

/** Undefined: all was said; else the code of RFC 9113 §7 that the stream was reset with. */
function ended(stream: Duplex): Promise<number | undefined> {
  return new Promise((resolve) => {
    // A stream that was reset ends too, in Node: only what is said at the end tells the difference.
    let isWhole = false;
    stream.once('trailers', () => {
      isWhole = true;
    });
    stream.once('end', () => isWhole && resolve(undefined));
    stream.once('close', () =>
      resolve(isWhole ? undefined : ((stream as ClientHttp2Stream).rstCode ?? constants.NGHTTP2_CANCEL)),
    );
    stream.once('error', () => {});
  });
}
