/** File transfers, served where the files are. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { MalformedMessage } from '../../sftp/messages.ts';
import { createNodeFiles } from '../../sftp/node-files.ts';
import { serveSftp } from '../../sftp/sftp-server.ts';

/** SFTP on the stream until the client's EOF. `home`, one character a byte, is where relative paths begin. */
export async function serveFiles(stream: ServerHttp2Stream, home: string): Promise<void> {
  const closed = new AbortController();
  stream.once('close', () => closed.abort());
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'x-end': 'whole' }));
  try {
    await serveSftp(stream, stream, createNodeFiles(home), closed.signal);
    stream.end();
  } catch (error) {
    const isTheirs = error instanceof MalformedMessage;
    stream.close(isTheirs ? constants.NGHTTP2_PROTOCOL_ERROR : constants.NGHTTP2_INTERNAL_ERROR);
    if (!isTheirs) throw error;
  }
}
