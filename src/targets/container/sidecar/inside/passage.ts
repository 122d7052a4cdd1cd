/** The sidecar's end of a passage: the gateway's unix socket, where it is mounted. Imports nothing but Node. */
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { join, settle } from './dial.ts';

const passagePath = '/passage/socket';
const connectWithinMs = 2_000;

/** Answers on the stream, and joins the socket with it, or with the passage where that can be reached. */
export async function joinByPassage(
  stream: ServerHttp2Stream,
  socket: Socket,
  token: string | null,
): Promise<void> {
  const passage =
    token === null ? undefined : await settle({ path: passagePath }, connectWithinMs).catch(() => undefined);
  if (stream.destroyed) {
    passage?.destroy();
    return void socket.destroy();
  }
  if (!passage) {
    stream.respond({ ':status': 200 });
    return join(stream, socket);
  }
  passage.write(`${token}\n`);
  stream.respond({ ':status': 200, 'x-passage': 'taken' });
  joinSockets(passage, socket);
  // The gateway has left: what it sent before is still the server's to read, but nobody reads an answer.
  const left = () => {
    if (passage.readableEnded) socket.destroySoon();
    else passage.once('end', () => socket.destroySoon());
  };
  stream.once('end', left).once('close', left).resume();
  let closed = 0;
  for (const each of [passage, socket]) each.once('close', () => ++closed === 2 && stream.close());
}

/** Copies both ways, each end of data passed on by itself; a failure of one side ends the other. */
function joinSockets(one: Socket, other: Socket): void {
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
  one.pipe(other);
  other.pipe(one);
}
