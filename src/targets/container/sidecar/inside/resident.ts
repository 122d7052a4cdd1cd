/**
 * The resident: the gateway's Node as a program of one user inside a container, with the rights of any program that
 * `docker exec` starts there. Everything it needs is loaded at its start: the files that it came from go away then.
 */
import { listenAgent } from './agent.ts';
import { serveFiles } from './files.ts';
import { take } from './listen.ts';
import { type Answer, serveAnswers } from './serve.ts';
import { closeAllSockets, dialSocket, listenSocket } from './sockets.ts';

const dialWithinMs = 10_000;

const answers: ReadonlyMap<string, Answer> = new Map([
  [
    '/hello',
    async (stream) => {
      const headers = { 'x-pid': process.pid, 'x-uid': process.getuid?.() ?? -1 };
      stream.respond({ ':status': 200, ...headers }, { endStream: true });
    },
  ],
  ['/sftp', (stream, query) => serveFiles(stream, query.get('home') ?? '/')],
  ['/unix', (stream, query) => dialSocket(stream, query.get('path') ?? '', dialWithinMs)],
  ['/listen-unix', (stream, query) => listenSocket(stream, query.get('path') ?? '')],
  ['/agent', (stream, query) => listenAgent(stream, query.get('name') ?? '')],
  ['/take', (stream, query) => take(stream, query.get('id') ?? '')],
]);

const exit = () => process.exit(0);
process.on('exit', closeAllSockets);
serveAnswers(answers, exit);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, exit);
