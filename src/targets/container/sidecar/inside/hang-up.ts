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
  const leadsFirst = ({ pid }: Process) => (pid === session ? 0 : 1);
  // A shell that waits for a child must hear it before the child's end lets it end.
  const members = membersOf(session, signal).toSorted((one, other) => leadsFirst(one) - leadsFirst(other));
  for (const { pid } of members) {
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

/** What is to be killed is looked for anew each time; else a list may do that was made for another session a moment ago. */
function membersOf(session: number, signal: 'HUP' | 'TERM' | 'KILL'): readonly Process[] {
  const isMember = (each: Process | undefined) => each?.session === session;
  // A pid may have become another's since.
  const known = signal === 'KILL' ? [] : processesOfTurn().filter(isMember);
  const still = known.filter(({ pid }) => isMember(findProcess(`${pid}`)));
  return still.length > 0 ? still : processes().filter(isMember);
}

let listed: readonly Process[] | undefined;

/** Read once in a turn of the event loop: many clients go at once, and a list for each of them would cost their square. */
function processesOfTurn(): readonly Process[] {
  if (!listed) {
    listed = processes();
    setImmediate(() => {
      listed = undefined;
    });
  }
  return listed;
}

const processes = (): readonly Process[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (findProcess(name) ?? []) : []));

/** Undefined for what has ended, or is a zombie. */
function findProcess(pid: string): Process | undefined {
  const stat = readProc(`${pid}/stat`);
  // The name may hold spaces, parentheses and newlines; what follows the last ")" does not.
  const [state, , , session] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  if (state === undefined || state === '' || 'ZX'.includes(state)) return undefined;
  return { pid: Number(pid), session: Number(session) };
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
