/**
 * The resident: the gateway's Node as a program of one user inside a container, with the rights of any program that
 * `docker exec` starts there. Everything it needs is loaded at its start: the files that it came from go away then.
 */
import { serveFiles } from './files.ts';
import { type Answer, serveAnswers } from './serve.ts';

const answers: ReadonlyMap<string, Answer> = new Map([
  [
    '/hello',
    async (stream) => {
      const headers = { 'x-pid': process.pid, 'x-uid': process.getuid?.() ?? -1 };
      stream.respond({ ':status': 200, ...headers }, { endStream: true });
    },
  ],
  ['/sftp', (stream, query) => serveFiles(stream, query.get('home') ?? '/')],
]);

const exit = () => process.exit(0);
serveAnswers(answers, exit);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, exit);
