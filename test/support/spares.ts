/** Spares of the engine under test, over the machine's real one. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SessionHandler } from '../../src/sessions/session.ts';
import { countProcesses, until } from './container-processes.ts';
import type { TestContainer } from './containers.ts';
import { runSession, terminal } from './session-io.ts';

/** In the command line of every spare, and of nothing else. */
export const spareWord = 'postern_modes';

export const countSpares = (container: { readonly id: string }) => countProcesses(container.id, spareWord);

/** Resolves when one waits; a session with a terminal is run where there is none. */
export async function spareWaits(session: SessionHandler, container: TestContainer): Promise<void> {
  const waits = async () => (await countSpares(container)) === 1;
  if (!(await until(waits, 600))) await runSession(session, 'true', { pty: terminal() });
  // One that somebody has spoiled ends by itself after six seconds.
  if (!(await until(waits, 15_000))) throw new Error('no spare came up');
  // What it says last is on its way.
  await pause(60);
}

/** Sessions with a terminal, each begun when a spare waits. */
export const afterSpare =
  (session: SessionHandler, container: TestContainer): SessionHandler =>
  async (request, io, context) => {
    if (request.pty) await spareWaits(session, container);
    return session(request, io, context);
  };

/** As the container counts; and the terminal it has, where it is root's. */
export async function findSpare(container: TestContainer): Promise<{ pid: string; terminal: string }> {
  const script = `for each in /proc/[0-9]*; do
    case "$(tr '\\0' ' ' <$each/cmdline 2>/dev/null)" in
      */sh\\ -c\\ ${spareWord}*) echo "\${each#/proc/} $(readlink $each/fd/0 2>/dev/null)" ;;
    esac
  done`;
  const [pid = '', name = ''] = (await container.sh(script)).split(/\s+/);
  if (pid === '') throw new Error('there is no spare');
  return { pid, terminal: name };
}
