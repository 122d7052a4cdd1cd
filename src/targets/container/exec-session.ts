/** One program in a container, from its start to its end, with the client's streams on it. */
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError } from '../../errors.ts';
import type { ProgramWay } from '../../metrics/meter.ts';
import { aborted } from '../../platform/aborted.ts';
import { keptBy, takeInOrder } from '../../platform/lent-reads.ts';
import type { SessionEnd, SessionIo } from '../../sessions/session.ts';
import { isContainerEnding } from './container-ending.ts';
import type { ContainerFacts, ContainerFactsSource } from './container-facts.ts';
import type { ContainerEngineOptions } from './create-container-engine.ts';
import type { EndingWatch } from './ending-watch.ts';
import type { EngineApi } from './engine-api.ts';
import { engineStatus, translateEngineError } from './engine-errors.ts';
import { findEnd, isStillRunning } from './exec-end.ts';
import type { Hangups } from './hangup.ts';
import { readToTheEnd } from './hijacked-stream.ts';
import { carryOutput, type ProgramOutput } from './program-output.ts';
import type { SessionPlan } from './session-plan.ts';
import { type Leader, type Signaller, signalNames } from './signaller.ts';
import type { StartedExec } from './spares/open-spare.ts';

export interface ExecParts {
  readonly engine: EngineApi;
  readonly facts: ContainerFactsSource;
  readonly signaller: Signaller;
  readonly hangups: Hangups;
  readonly endings: EndingWatch;
  /** Called when the program runs. */
  readonly onStarted?: (way: ProgramWay) => void;
  readonly onProgram?: ContainerEngineOptions['onProgram'];
}

/** Its last output may be under way when its container is seen to have ended. */
export const outputAfterEndMs = 1_000;
/** For the launcher to say whom to hang up, when its client has left before it did. */
const launchesWithinMs = 30_000;

/** What a program without a client is told, and what its session is recorded as. */
export const hungUp: SessionEnd = { exitSignal: 'HUP', message: 'the client went away' };

/**
 * Resolves to the program's own end; throws GatewayError where it never ran or its container ended. `takePrepared`: what
 * has already begun to become the program, if there is such a thing.
 */
export async function runExecSession(
  parts: ExecParts,
  facts: ContainerFacts,
  plan: SessionPlan,
  io: SessionIo,
  closed: AbortSignal,
  takePrepared: () => Promise<StartedExec | undefined> = async () => undefined,
): Promise<SessionEnd> {
  if (closed.aborted) return hungUp;
  const { engine } = parts;
  const prepared = await takePrepared();
  const { execId, stream } = prepared ?? (await startExec(parts, facts, plan, closed));
  if (!stream) return hungUp;
  const isRunning = () => isStillRunning(engine, execId);
  const output = carryOutput({
    stdout: io.stdout,
    stderr: io.stderr,
    stream,
    tty: plan.tty,
    marker: plan.launch.marker,
    isRunning,
  });
  void output.launched.then(() => output.hasLaunched() && parts.onStarted?.(prepared ? 'spare' : 'exec'));
  const leader = output.launched.then((pid) => leaderOf(facts, plan, pid));
  const forget = tellOf(leader, parts);
  const ended = new AbortController();
  const stopInput = carryInput(io, stream, plan, output);
  readToTheEnd(stream, stopInput);
  stream.resume();
  carryRequests(parts, execId, plan, io, leader, ended.signal);
  const gone = aborted(closed);
  const over = Promise.withResolvers<GatewayError>();
  const leave = parts.endings.follow(facts, (ending) => setTimeout(over.resolve, outputAfterEndMs, ending));
  let mayLaunch = false;
  try {
    const first = await Promise.race([output.complete, gone, over.promise]);
    if (first === 'aborted') {
      mayLaunch = plan.launch.marker !== undefined;
      parts.hangups.begin(leader, forget);
      return hungUp;
    }
    if (first) throw first;
    const end = await findEnd(parts, execId, facts, plan, output);
    forget();
    await Promise.race([output.flushed(), gone]);
    return end;
  } catch (error) {
    // Where its container lives, so may what cannot be heard of any more.
    if (isContainerEnding(error)) forget();
    else parts.hangups.begin(leader, forget);
    throw error;
  } finally {
    leave();
    ended.abort();
    stopInput();
    output.discard();
    if (mayLaunch) void destroyWhenLaunched(stream, output);
    else stream.destroy();
  }
}

async function destroyWhenLaunched(stream: Duplex, { launched }: ProgramOutput): Promise<void> {
  await Promise.race([launched, pause(launchesWithinMs, undefined, { ref: false })]);
  stream.destroy();
}

/** Whoever ends it if this process cannot. Returns what says that it has ended, at whatever time it was known. */
function tellOf(leader: Promise<Leader | undefined>, { onProgram }: ExecParts): () => void {
  const told = leader.then((known) => known && onProgram?.(known));
  return () => void told.then((hasEnded) => hasEnded?.());
}

async function startExec(parts: ExecParts, facts: ContainerFacts, plan: SessionPlan, closed: AbortSignal) {
  const { engine } = parts;
  try {
    const execId = await engine.createExec(facts.id, {
      argv: plan.launch.argv,
      env: plan.env,
      user: plan.user.engineUser,
      tty: plan.tty,
      stdin: true,
      workingDir: plan.launch.marker === undefined ? plan.bareFolder : '/',
    });
    if (closed.aborted) return { execId, stream: undefined };
    // It is for the start of now, and all that is known here is of the one that was looked at.
    const { State } = await engine.inspect(facts.id);
    if (State.StartedAt !== facts.startedAt) throw new GatewayError('container-ended', { name: facts.name });
    return { execId, stream: await engine.startExec(execId, plan.tty) };
  } catch (error) {
    // The container may have stopped since it was looked at.
    if ([404, 409].includes(engineStatus(error) ?? 0)) await parts.facts.getFacts(facts.id, facts.name);
    throw translateEngineError(error);
  }
}

function leaderOf(facts: ContainerFacts, plan: SessionPlan, pid: number | undefined): Leader | undefined {
  if (pid === undefined || plan.signalShell === undefined) return undefined;
  const { id: containerId, startedAt } = facts;
  return { containerId, startedAt, engineUser: plan.user.engineUser, shell: plan.signalShell, pid };
}

/** Returns what stops it. A terminal's input waits for the launcher: echoed earlier, it would mix with its line. */
function carryInput(io: SessionIo, stream: Duplex, plan: SessionPlan, output: ProgramOutput): () => void {
  const { stdin } = io;
  let stopped = false;
  const onEnd = () => {
    // A terminal has no EOF but the one typed, as with sshd.
    if (!plan.tty && !stopped) stream.end();
  };
  const begin = () => {
    if (stopped) return;
    if (stdin.readableEnded) return onEnd();
    stdin.once('end', onEnd);
    takeInOrder(stdin, () => keptBy(stream));
    stdin.pipe(stream, { end: false });
  };
  if (plan.tty) void output.launched.then(begin);
  else begin();
  return () => {
    stopped = true;
    stdin.off('end', onEnd);
    stdin.unpipe(stream);
  };
}

const maxWaitingSignals = 16;

/** A busy engine says of a program that has just begun to run that it is stopped, and a terminal of the wrong size stays so. */
const resizeAgainAfterMs = [100, 100, 200, 400, 800, 1_600, 3_200, 3_200];

/** Window changes: only the last one counts. Signals: in order, a few at most waiting. */
function carryRequests(
  { engine, signaller }: ExecParts,
  execId: string,
  plan: SessionPlan,
  io: SessionIo,
  leader: Promise<Leader | undefined>,
  ended: AbortSignal,
): void {
  let size = plan.size;
  let resizing = false;
  const resize = async () => {
    if (resizing) return;
    resizing = true;
    await leader;
    let sent: typeof size;
    for (let failures = 0; size && size !== sent && !ended.aborted; ) {
      const wanted: typeof size = size;
      const againAfterMs = await engine.resizeExec(execId, wanted).then(
        () => undefined,
        () => resizeAgainAfterMs[failures++],
      );
      if (againAfterMs === undefined) sent = wanted;
      else await pause(againAfterMs);
    }
    resizing = false;
  };
  if (size?.rows) void resize();
  io.onWindowChange((changed) => {
    if (!plan.tty) return;
    size = plan.sizeOf(changed);
    void resize();
  });
  let waiting = 0;
  let signalled: Promise<void> = Promise.resolve();
  io.onSignal((name) => {
    const signal = signalNames.get(name);
    if (!signal || waiting >= maxWaitingSignals) return;
    waiting += 1;
    signalled = signalled.then(async () => {
      const to = await leader;
      if (to && !ended.aborted) await signaller.signalGroup(to, signal).catch(() => {});
      waiting -= 1;
    });
  });
}
