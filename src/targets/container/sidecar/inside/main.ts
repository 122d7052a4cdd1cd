/**
 * The sidecar: runs in the network of one container and connects there to what the gateway asks for, over
 * HTTP/2 on its stdin and stdout. Runs from the image that `image.ts` makes, so it imports nothing but Node.
 */
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import { dialTcp, join } from './dial.ts';
import { listenTcp, take } from './listen.ts';
import { openStdio } from './stdio.ts';

type Answer = (stream: ServerHttp2Stream, query: URLSearchParams) => Promise<void>;

const dialWithinMs = 10_000;
/** The gateway pings far more often: this long without it, and there is no gateway any more. */
const gatewayGoneMs = 90_000;
const maxStreams = 1_024;

const answers: ReadonlyMap<string, Answer> = new Map([
  [
    '/tcp',
    async (stream, query) => {
      const socket = await dialTcp(query.get('host') ?? '', Number(query.get('port')), dialWithinMs);
      if (stream.destroyed) return void socket.destroy();
      stream.respond({ ':status': 200 });
      join(stream, socket);
    },
  ],
  ['/listen', (stream, query) => listenTcp(stream, query.get('host') ?? '', Number(query.get('port')))],
  ['/take', (stream, query) => take(stream, query.get('id') ?? '')],
]);

function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on('error', () => {});
  const [path = '', query] = String(headers[':path']).split('?');
  const answer = answers.get(path);
  if (!answer) return stream.respond({ ':status': 404 }, { endStream: true });
  answer(stream, new URLSearchParams(query)).catch((error: NodeJS.ErrnoException) => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 502, 'x-code': String(error.code ?? 'failed') }, { endStream: true });
    stream.close();
  });
}

const exit = () => process.exit(0);
const stdio = openStdio();
stdio.on('end', exit).on('close', exit).on('error', exit);
const session = performServerHandshake(stdio, {
  settings: { initialWindowSize: 256 * 1024, maxConcurrentStreams: maxStreams, maxFrameSize: 64 * 1024 },
  maxSessionMemory: 256,
});
session.on('stream', serve);
session.on('close', exit).on('error', exit);
const watch = setTimeout(exit, gatewayGoneMs);
session.on('ping', () => watch.refresh());
// Each stream answers for itself; what slips through must not take the others with it.
process.on('uncaughtException', (error) => console.error(error));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, exit);
