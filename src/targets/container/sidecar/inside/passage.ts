/** The sidecar's end of a passage: the gateway's unix socket, where it is mounted. Imports nothing but Node. */
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { createSteadyCopy, type SteadyCopy } from './copy-steadily.ts';
import { join, settle } from './dial.ts';

const passagePath = '/passage/socket';
const connectWithinMs = 2_000;

/** Connects, and answers on the stream that it did. Bytes go by the passage, where one is named by `token` and can be reached. */
export async function connectBy(
  stream: ServerHttp2Stream,
  token: string | null,
  dial: (answers?: SteadyCopy) => Promise<Socket>,
): Promise<void> {
  const answers = token === null ? undefined : createSteadyCopy();
  const socket = await dial(answers);
  if (stream.destroyed) return void socket.destroy();
  if (!answers) {
    stream.respond({ ':status': 200 });
    return join(stream, socket);
  }
  const asks = createSteadyCopy();
  const passage = await settle({ path: passagePath, onread: asks.onread }, connectWithinMs).catch(() => {});
  if (stream.destroyed) {
    passage?.destroy();
    return void socket.destroy();
  }
  if (!passage) {
    stream.respond({ ':status': 200 });
    return join(stream, socket, () => answers.begin(socket, stream));
  }
  passage.write(`${token}\n`);
  stream.respond({ ':status': 200, 'x-passage': 'taken' });
  passage.on('error', () => socket.destroy());
  socket.on('error', () => passage.destroy());
  asks.begin(passage, socket);
  answers.begin(socket, passage);
  // The gateway has left: what it sent before is still the server's to read, but nobody reads an answer.
  const left = () => {
    if (passage.readableEnded) socket.destroySoon();
    else passage.once('end', () => socket.destroySoon());
  };
  stream.once('end', left).once('close', left).resume();
  let closed = 0;
  for (const each of [passage, socket]) each.once('close', () => ++closed === 2 && stream.close());
}
