/**
 * The sidecar: runs in the network of one container and connects there to what the gateway asks for, over
 * HTTP/2 on its stdin and stdout. Runs from the image that `image.ts` makes, so it imports nothing but Node.
 */
import { dialTcp } from './dial.ts';
import { listenTcp, take } from './listen.ts';
import { connectBy } from './passage.ts';
import { type Answer, serveAnswers } from './serve.ts';

const dialWithinMs = 10_000;

const answers: ReadonlyMap<string, Answer> = new Map([
  [
    '/tcp',
    (stream, query) =>
      connectBy(stream, query.get('passage'), (answers) =>
        dialTcp(query.get('host') ?? '', Number(query.get('port')), dialWithinMs, answers),
      ),
  ],
  ['/listen', (stream, query) => listenTcp(stream, query.get('host') ?? '', Number(query.get('port')))],
  ['/take', (stream, query) => take(stream, query.get('id') ?? '')],
]);

const exit = () => process.exit(0);
void serveAnswers(answers, exit);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, exit);
