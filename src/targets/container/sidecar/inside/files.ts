/** File transfers, served where the files are. */
import type { ServerHttp2Stream } from 'node:http2';
import type { ScpTransfer } from '../../scp/scp-command.ts';
import { serveScp } from '../../scp/serve-scp.ts';
import { MalformedMessage } from '../../sftp/messages.ts';
import { createNodeFiles } from '../../sftp/node-files.ts';
import { serveSftp } from '../../sftp/sftp-server.ts';

/** SFTP on the stream until the client's EOF. `home`, one character a byte, is where relative paths begin. */
export const serveFiles = (stream: ServerHttp2Stream, home: string): Promise<void> =>
  serveWhole(stream, async (closed) => {
    await serveSftp(stream, stream, createNodeFiles(home), closed);
    return 0;
  });

/** The same of the rcp protocol; what is to be done stands in the first line, as the gateway has it. */
export const serveCopies = (stream: ServerHttp2Stream, home: string): Promise<void> =>
  serveWhole(stream, async (closed) => {
    const transfer = JSON.parse(await readLine(stream)) as ScpTransfer;
    return serveScp(transfer, stream, stream, createNodeFiles(home), closed);
  });

/**
 * Status 200, what `serve` says on the stream, and at its end the status that it resolves to, or `malformed`: what was cut
 * off has none. A reset could not tell the difference, for it is lost where the client has ended already.
 */
async function serveWhole(
  stream: ServerHttp2Stream,
  serve: (closed: AbortSignal) => Promise<number>,
): Promise<void> {
  const closed = new AbortController();
  stream.once('close', () => closed.abort());
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  let status = 'malformed';
  stream.once('wantTrailers', () => stream.sendTrailers({ 'x-status': status }));
  try {
    status = String(await serve(closed.signal));
  } catch (error) {
    if (error instanceof MalformedMessage) return void stream.end();
    stream.destroy();
    throw error;
  }
  stream.end();
}

/** From the gateway, which bounds it; the rest stays on the stream. */
async function readLine(stream: ServerHttp2Stream): Promise<string> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk: Buffer | null = stream.read();
    if (chunk === null) {
      await new Promise((resolve) => stream.once('readable', resolve).once('close', resolve));
      if (stream.destroyed) throw new Error('it ended before it began');
      continue;
    }
    const end = chunk.indexOf('\n');
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end < 0) continue;
    if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1));
    return Buffer.concat(chunks).toString();
  }
}
