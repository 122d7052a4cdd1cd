/** One program in a container, started by a resident there, with the client's streams on it. */
import { GatewayError } from '../../../errors.ts';
import { aborted } from '../../../platform/aborted.ts';
import { keptBy, takeAtOnce, takeInOrder } from '../../../platform/lent-reads.ts';
import type { SessionEnd, SessionIo } from '../../../sessions/session.ts';
import { findContainerEnding } from '../container-ending.ts';
import type { ContainerFacts } from '../container-facts.ts';
import { shortReason } from '../engine-errors.ts';
import { type ExecParts, hungUp, outputAfterEndMs } from '../exec-session.ts';
import { createFrameReader } from '../frames.ts';
import { createOutbox, type Outbox } from '../outbox.ts';
import type { SessionPlan } from '../session-plan.ts';
import { type Answered, type InsideConnection, InsideRefusal } from '../sidecar/inside-connection.ts';
import { signalNames } from '../signaller.ts';
import { mayWait } from '../waiting-launch.ts';
import { againAfterSilenceMs, answersWithinMs, type Resident, type Residents } from './create-residents.ts';

/** Far longer than it ever takes: the program has not been asked for yet, and can begin by an exec. */
const maxPrograms = 512;
/** What a program that is there cannot be started for; an exec fails in the same way, and says so in its own words. */
const startFailures = new Set([
  'ENOENT',
  'EACCES',
  'EAGAIN',
  'ENOMEM',
  'E2BIG',
  'ENOEXEC',
  'ELOOP',
  'ENAMETOOLONG',
]);
const holdAboveBytes = 2 * 1024 * 1024;
const roomBelowBytes = 1024 * 1024;
const underWayBytes = 512 * 1024;
const killed = 137;
const maxWaitingSignals = 16;

/**
 * Contract: `runExecSession`. Resolves to undefined where the program was not started, and will not be: then it can be
 * started in another way.
 */
export async function runInResident(
  parts: ExecParts & { readonly residents: Residents },
  resident: Resident,
  plan: SessionPlan,
  io: SessionIo,
  closed: AbortSignal,
): Promise<SessionEnd | undefined> {
  if (closed.aborted) return hungUp;
  const { facts, inside } = resident;
  const answered = await start(parts, resident, plan, io, closed);
  if (!answered || !('stream' in answered)) return answered;
  const { stream, headers, trailers, cancel } = answered;
  parts.onStarted?.('resident');
  const pid = parseNumber(headers['x-pid'], 4_194_304);
  const outbox = createOutbox(roomBelowBytes, () => stream.resume());
  const complete = readOutput(stream, io, outbox);
  const stopInput = carryInput(io, stream);
  carrySignals(io, inside, pid);
  const gone = aborted(closed);
  const leave = parts.endings.follow(facts, () => setTimeout(cancel, outputAfterEndMs));
  let isOver = false;
  try {
    const ended = await Promise.race([complete, gone]);
    if (ended === 'aborted') {
      return hungUp;
    }
    const exitStatus = ended ? parseNumber(trailers()?.['x-exit'], 255) : undefined;
    if (exitStatus === undefined || exitStatus === killed) {
      const ending = await findContainerEnding(parts, facts);
      if (ending) throw ending;
    }
    if (exitStatus === undefined) throw lost(parts, facts, plan, pid);
    await Promise.race([outbox.flushed(), gone]);
    isOver = stream.writableLength === 0;
    return { exitStatus };
  } finally {
    leave();
    stopInput();
    outbox.discard();
    // A stream that ends, ends more cheaply than one that is cut off, and once the client has been told.
    if (isOver) setImmediate(() => stream.end());
    // Before the program's end that hangs up, also where its stdin has ended long ago.
    else cancel();
  }
}

async function start(
  { residents, hangups }: ExecParts & { readonly residents: Residents },
  resident: Resident,
  plan: SessionPlan,
  io: SessionIo,
  closed: AbortSignal,
): Promise<Answered | SessionEnd | undefined> {
  const { inside, openFiles, facts } = resident;
  if (inside.load >= maxPrograms) return undefined;
  if (!(await inside.answers(answersWithinMs))) {
    residents.retire(resident, againAfterSilenceMs);
    return undefined;
  }
  if (closed.aborted) return hungUp;
  const isBare = plan.launch.marker === undefined;
  const env = [...facts.env, ...plan.env];
  const order = {
    argv: plan.launch.argvForResident(openFiles),
    waiting: mayWait(env) ? plan.launch.findWaiting(openFiles) : undefined,
    env,
    cwd: isBare ? plan.bareFolder : '/',
    graceMs: hangups.graceMs,
  };
  try {
    return await inside.ask('/run', withLength(Buffer.from(JSON.stringify(order))));
  } catch (error) {
    // It was asked, and has not said no: the program may run, and must not run twice.
    if (!(error instanceof InsideRefusal) || error.code === 'ETIMEDOUT') {
      if (error instanceof InsideRefusal) residents.retire(resident, againAfterSilenceMs);
      throw lost(undefined, facts, plan, undefined);
    }
    if (error.code === 'ENOPIPE') residents.startNone(resident);
    else if (!startFailures.has(error.code)) residents.retire(resident, 0);
    return isBare ? notFound(error.code, plan, io) : undefined;
  }
}

/** As a shell would say it. */
function notFound(code: string, plan: SessionPlan, io: SessionIo): SessionEnd | undefined {
  const problem = {
    ENOENT: ['command not found', 127] as const,
    EACCES: ['permission denied', 126] as const,
  }[code];
  if (!problem) return undefined;
  io.stderr.write(`${shortReason(plan.launch.argv[0] ?? '')}: ${problem[0]}\n`);
  return { exitStatus: problem[1] };
}

function withLength(order: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(order.length);
  return Buffer.concat([length, order]);
}

/** What it says is a stranger's word. */
function parseNumber(told: unknown, max: number): number | undefined {
  const text = String(told);
  return /^\d{1,7}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

/** Resolves at the end of output, whether that is the program's or not; to false where it was none. */
function readOutput(stream: Answered['stream'], io: SessionIo, outbox: Outbox): Promise<boolean> {
  const read = createFrameReader((to, data) => outbox.push(io[to], data));
  const outputs = [io.stdout, io.stderr];
  takeAtOnce(stream, () => outbox.bytes === 0 && outputs.every((output) => keptBy(output) === 0));
  return new Promise((resolve) => {
    stream.on('end', () => resolve(true)).on('close', () => resolve(true));
    stream.on('data', (chunk: Buffer) => {
      try {
        read(chunk);
      } catch {
        resolve(false);
        stream.destroy();
      }
      if (outbox.bytes > holdAboveBytes) stream.pause();
    });
  });
}

/** Returns what stops it. Unlike pipe(), it does not wait for each piece to have gone. */
function carryInput({ stdin }: SessionIo, stream: Answered['stream']): () => void {
  const end = () => void stream.end();
  const resume = () => void stdin.resume();
  const send = (chunk: Buffer) => {
    if (!stream.writable) return stop();
    stream.write(chunk);
    if (stream.writableLength > underWayBytes) stdin.pause();
  };
  const stop = () => {
    stdin.off('data', send).off('end', end).pause();
    stream.off('drain', resume);
  };
  if (stdin.readableEnded) end();
  else {
    takeInOrder(stdin, () => keptBy(stream));
    stream.on('drain', resume);
    stdin.on('end', end).on('data', send);
  }
  return stop;
}

function carrySignals(io: SessionIo, inside: InsideConnection, pid: number | undefined): void {
  let waiting = 0;
  io.onSignal((name) => {
    const signal = signalNames.get(name);
    if (!signal || pid === undefined || waiting >= maxWaitingSignals) return;
    waiting += 1;
    inside
      .ask(`/signal?${new URLSearchParams({ pid: String(pid), name: signal })}`)
      .then(({ stream }) => stream.end().resume())
      .catch(() => {})
      .finally(() => {
        waiting -= 1;
      });
  });
}

/** The resident is gone, and has left the program behind: it is ended by the other way. */
function lost(
  parts: ExecParts | undefined,
  { id, startedAt, name }: ContainerFacts,
  { user, signalShell }: SessionPlan,
  pid: number | undefined,
): GatewayError {
  if (parts && pid !== undefined && pid > 1 && signalShell !== undefined) {
    const leader = { containerId: id, startedAt, engineUser: user.engineUser, shell: signalShell, pid };
    parts.hangups.begin(Promise.resolve(leader));
  }
  return new GatewayError('program-lost', { name });
}
