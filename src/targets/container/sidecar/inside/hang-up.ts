/** Ends a session of processes whose client is gone: HUP, then TERM and KILL. Imports nothing but Node. */
import { readdirSync, readFileSync } from 'node:fs';

const killAfterTermMs = 2_000;
/** What a grace shrinks to when the gateway stops. */
const lastGraceMs = 700;

interface Process {
  readonly pid: number;
  readonly session: number;
}

/** As sshd leaves them: TERM and KILL spare those that ignore HUP, and who left the session is none of it. */
export async function hangUp(session: number, graceMs: number, hurry: AbortSignal): Promise<void> {
  if (!signalSession(session, 'HUP')) return;
  await pause(graceMs, hurry);
  if (!signalSession(session, 'TERM')) return;
  await pause(killAfterTermMs, hurry);
  // Again, for what was forked meanwhile.
  for (let round = 0; round < 4 && signalSession(session, 'KILL'); round++);
}

/** Returns whether anything was there to be signalled. */
function signalSession(session: number, signal: 'HUP' | 'TERM' | 'KILL'): boolean {
  let found = false;
  for (const { pid } of processes().filter((each) => each.session === session)) {
    if (signal !== 'HUP' && ignoresHangup(pid)) continue;
    try {
      process.kill(pid, `SIG${signal}`);
      found = true;
      process.kill(pid, 'SIGCONT');
    } catch {
      // It has ended meanwhile, or is another user's now.
    }
  }
  return found;
}

function processes(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    // The name may hold spaces, parentheses and newlines; what follows the last ")" does not.
    const stat = readProc(`${name}/stat`);
    const [state, , , session] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
    return state === undefined || state === '' || 'ZX'.includes(state)
      ? []
      : [{ pid: Number(name), session: Number(session) }];
  });
}

/** The lowest bit of SigIgn, proc_pid_status(5). */
const ignoresHangup = (pid: number) => /^SigIgn:.*[13579bdf]$/m.test(readProc(`${pid}/status`));

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}

/** When `hurry` aborts meanwhile, at most `lastGraceMs` longer. */
function pause(ms: number, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(done, hurry.aborted ? Math.min(ms, lastGraceMs) : ms);
    function done() {
      hurry.removeEventListener('abort', shorten);
      resolve();
    }
    function shorten() {
      clearTimeout(timer);
      timer = setTimeout(done, Math.min(ms, lastGraceMs));
    }
    hurry.addEventListener('abort', shorten, { once: true });
  });
}
