/** Scripts of the gateway's own in a container: as a session runs, without a client. */
import { Readable, Writable } from 'node:stream';
import { GatewayError } from '../../errors.ts';
import type { SessionEnd, SessionIo } from '../../sessions/session.ts';
import type { ContainerScript, ContainerTarget, ScriptEnd } from '../target.ts';
import { type ExecParts, runExecSession } from './exec-session.ts';
import { launchOf, shellArgv, terminalSize } from './launch.ts';
import { launcherShells, type SessionPlan } from './session-plan.ts';

type Track = (io: SessionIo, start: (io: SessionIo) => Promise<SessionEnd>) => Promise<SessionEnd>;

/** Contract: `ContainerEngine.runScript`. `track` ends it when the engine is closed. */
export async function runScript(
  parts: ExecParts,
  track: Track,
  { id, name }: ContainerTarget,
  script: ContainerScript,
): Promise<ScriptEnd> {
  const facts = await parts.facts.getFacts(id, name);
  const user = await facts.getUser(script.user === 'root' ? '0' : undefined);
  const shell = await facts.findProgram(launcherShells);
  if (shell === undefined) throw new GatewayError('no-shell', { name });
  const program = [...shellArgv(shell), script.script, 'postern', ...(script.args ?? [])];
  const plan: SessionPlan = {
    launch: launchOf({ shell, program, folders: ['/', '/'], pty: undefined }),
    env: [`HOME=${user.home}`, `USER=${user.name}`, `LOGNAME=${user.name}`, 'LC_ALL=C'],
    user,
    tty: false,
    size: undefined,
    sizeOf: terminalSize,
    bareFolder: '/',
    signalShell: shell,
  };
  const timedOut = AbortSignal.timeout(script.withinMs);
  const output = collect(script);
  const io: SessionIo = {
    stdin: Readable.from(script.stdin ? [script.stdin] : []),
    stdout: output.stdout,
    stderr: output.stderr,
    onWindowChange: () => {},
    onSignal: () => {},
    closed: script.closed ? AbortSignal.any([timedOut, script.closed]) : timedOut,
  };
  const end = await track(io, (tracked) => runExecSession(parts, facts, plan, tracked, tracked.closed));
  if ('exitStatus' in end) return { exitStatus: end.exitStatus, user: user.name, ...output.collected() };
  if (timedOut.aborted) throw new GatewayError('timed-out', { seconds: script.withinMs / 1000 });
  throw new GatewayError('session-ended', { reason: `what ran in ${name} was ended.` });
}

const keptAtTheEnd = 4_096;

function collect({ maxOutputBytes, progress }: ContainerScript) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let last = Buffer.alloc(0);
  const sink = (take: (chunk: Buffer) => void) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        take(chunk);
        last = Buffer.concat([last, chunk.subarray(-keptAtTheEnd)]).subarray(-keptAtTheEnd);
        if (!progress?.writable || progress.write(chunk)) return done();
        const goOn = () => {
          for (const event of ['drain', 'close']) progress.off(event, goOn);
          done();
        };
        for (const event of ['drain', 'close']) progress.on(event, goOn);
      },
    });
  return {
    stdout: sink((chunk) => {
      const room = maxOutputBytes - bytes;
      bytes += chunk.length;
      if (room > 0) chunks.push(chunk.subarray(0, room));
    }),
    stderr: sink(() => {}),
    collected: () => ({
      stdout: Buffer.concat(chunks),
      truncated: bytes > maxOutputBytes,
      lastOutput: last.toString(),
    }),
  };
}
