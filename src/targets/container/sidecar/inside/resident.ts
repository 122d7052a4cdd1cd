/**
 * The resident: the gateway's Node as a program of one user inside a container, with the rights of any program that
 * `docker exec` starts there. Everything it needs is loaded at its start: the files that it came from go away then.
 * Of its variables, POSTERN_SHELL says what starts a shell that reads its script from stdin (JSON; null: the image has
 * none), POSTERN_OPEN_FILES the limit of open files that programs have here, POSTERN_OOM_SCORE their oom_score_adj.
 */
import { listenAgent } from './agent.ts';
import { openCarrier } from './carrier.ts';
import { serveCopies, serveFiles } from './files.ts';
import { createLanes } from './lanes.ts';
import { take } from './listen.ts';
import { goFirst } from './oom-score.ts';
import { createPipeSource } from './pipes.ts';
import { createPrograms } from './programs.ts';
import { type Answer, serveAnswers } from './serve.ts';
import { closeAllSockets, dialSocket, listenSocket } from './sockets.ts';
import { checkUsers } from './users.ts';

const dialWithinMs = 10_000;

const {
  POSTERN_SHELL: shellWords = 'null',
  POSTERN_OPEN_FILES: openFiles = '',
  POSTERN_OOM_SCORE: oomScore = '',
  ...baseEnv
} = process.env;
goFirst(oomScore);
const shell = JSON.parse(shellWords) as readonly string[] | null;
// What remains is the engine's, but for what the shell adds that starts this program.
for (const name of ['PWD', 'OLDPWD', 'SHLVL', '_']) delete baseEnv[name];

/** With the rights that the user has now, or not at all. */
const asNow =
  (answer: Answer): Answer =>
  async (stream, query) => {
    checkUsers();
    return answer(stream, query);
  };

const programs = createPrograms(baseEnv, shell ? createPipeSource(shell) : undefined);
const lanes = createLanes(programs.run);
const answers: ReadonlyMap<string, Answer> = new Map([
  [
    '/hello',
    async (stream) => {
      const headers = { 'x-uid': process.getuid?.() ?? -1, 'x-open-files': openFiles };
      stream.respond({ ':status': 200, ...headers }, { endStream: true });
    },
  ],
  ['/run', programs.run],
  ['/lane', lanes.open],
  ['/cut', lanes.cut],
  ['/signal', programs.signal],
  ['/hang-up', programs.hangUp],
  ['/sftp', asNow((stream, query) => serveFiles(stream, query.get('home') ?? '/'))],
  ['/unix', asNow((stream, query) => dialSocket(stream, query.get('path') ?? '', dialWithinMs))],
  ['/listen-unix', asNow((stream, query) => listenSocket(stream, query.get('path') ?? ''))],
  ['/agent', asNow((stream, query) => listenAgent(stream, query.get('name') ?? ''))],
  ['/take', (stream, query) => take(stream, query.get('id') ?? '')],
  ['/scp', asNow((stream, query) => serveCopies(stream, query.get('home') ?? '/'))],
]);

const exit = () => {
  closeAllSockets();
  void programs.end().finally(() => process.exit(0));
};
process.on('exit', closeAllSockets);
serveAnswers(answers, exit, (stdio) => openCarrier(stdio, lanes.hold)).catch(exit);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, exit);
