/** One `POST /exec`, from the command line to the answer: spec, statuses and trailers in PROTOCOL.md. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../auth/identity.ts';
import { callerOf, liveRequest, sessionOf } from '../commands/api.ts';
import type { CallLine } from '../commands/call-line.ts';
import type { LineOutcome } from '../commands/interpreter/run-line.ts';
import { toJson } from '../commands/interpreter/write-text.ts';
import { GatewayError } from '../errors.ts';
import { createDeadline } from '../platform/deadline.ts';
import type { LiveConnection } from '../sessions/connections.ts';
import type { GatewayNotice, SessionEnd, SessionIo } from '../sessions/session.ts';
import type { CollectedBytes } from './collected-bytes.ts';
import { ExecFailure } from './exec-failure.ts';
import {
  type CollectedOutput,
  collectOutput,
  exitNumber,
  type ProgramOutput,
  programData,
  type StreamedOutput,
  streamOutput,
} from './program-output.ts';

export interface ExecDependencies {
  readonly callLine: CallLine;
  readonly addConnection: (connection: LiveConnection) => () => void;
  /** How long a command may take, and one that runs a program in a target. */
  readonly commandTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly collectedBytes: CollectedBytes;
}

const maxCollectedBytes = 4 * 1024 * 1024;

/** Resolves to the JSON answer, or to undefined when the answer was streamed. Throws ExecFailure. */
export async function runExec(
  dependencies: ExecDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  identity: Identity,
  line: string,
): Promise<string | undefined> {
  const interruption = createInterruption();
  const { raw } = reply;
  const output = acceptsJson(request.headers.accept)
    ? collectInto(dependencies.collectedBytes, identity, raw, interruption)
    : streamOutput(raw, { 'x-request-id': request.id });
  const hangUp = () => interruption.interrupt('hang-up');
  raw.once('close', hangUp);
  const deadline = createDeadline(dependencies.commandTimeoutMs, (ms) =>
    interruption.interrupt(new GatewayError('timed-out', { seconds: ms / 1000 })),
  );
  const removeConnection = dependencies.addConnection(
    liveRequest(request.id, identity, interruption.interrupt),
  );
  try {
    const call = dependencies.callLine({
      line,
      session: sessionOf(identity, callerOf(request.id, request.raw)),
      io: sessionIo(output, interruption),
      onCommand: ({ verbatimAfter, long }) => {
        if (verbatimAfter !== undefined || long) deadline.set(dependencies.sessionTimeoutMs);
      },
    });
    const outcome = await Promise.race([call, interruption.interrupted]);
    const came = interruption.reason() ?? (outcome as LineOutcome);
    if (came === 'hang-up') return hijacked(reply);
    if (came instanceof GatewayError) return fail(came, output, reply);
    return came.kind === 'end' ? finish(came.end, output, reply) : answerOf(came);
  } finally {
    raw.off('close', hangUp);
    deadline.clear();
    removeConnection();
    interruption.release();
  }
}

/** One that has many programs write at once is told so too: the answers are kept until they are read. */
function collectInto(
  kept: CollectedBytes,
  { accountId }: Identity,
  response: ServerResponse,
  interruption: Interruption,
): CollectedOutput {
  let bytes = 0;
  response.once('close', () => kept.giveBack(accountId, bytes));
  const mayKeep = (more: number) => {
    if (response.destroyed || !kept.take(accountId, more)) return false;
    bytes += more;
    return true;
  };
  return collectOutput(maxCollectedBytes, mayKeep, () =>
    interruption.interrupt(new GatewayError('output-too-large', { limit: maxCollectedBytes })),
  );
}

function answerOf(outcome: Exclude<LineOutcome, { kind: 'end' }>): string {
  if (outcome.kind === 'failure') throw new ExecFailure(outcome.failure);
  if (outcome.kind === 'nothing') {
    const problem = 'the body is empty; it is the command line, like "whoami".';
    throw new ExecFailure(new GatewayError('usage', { problem }));
  }
  return toJson(outcome.data);
}

/** After the first byte it is too late for a status: the trailers say it. */
function fail(failure: GatewayError, output: Output, reply: FastifyReply): undefined {
  if ('collected' in output || !output.hasBegun()) throw new ExecFailure(failure);
  output.finish(255, trailerWords.get(failure.code) ?? failure.code);
  return hijacked(reply);
}

const trailerWords: ReadonlyMap<string, string> = new Map([
  ['timed-out', 'timeout'],
  ['session-ended', 'revoked'],
]);

type Output = CollectedOutput | StreamedOutput;

function finish(end: SessionEnd, output: Output, reply: FastifyReply): string | undefined {
  if ('collected' in output) return toJson(programData(end, output.collected()));
  output.finish(exitNumber(end));
  return hijacked(reply);
}

function hijacked(reply: FastifyReply): undefined {
  reply.hijack();
  return undefined;
}

type Reason = GatewayError | 'hang-up';

/** What ends a call before its command does. The first reason counts. */
function createInterruption() {
  const closed = new AbortController();
  let first: Reason | undefined;
  let tell: () => void = () => {};
  const interrupted = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return {
    closed: closed.signal,
    interrupted,
    reason: () => first,
    interrupt(reason: Reason) {
      first ??= reason;
      closed.abort();
      tell();
    },
    /** Whatever still runs has nobody left to write to. */
    release: () => closed.abort(),
  };
}

type Interruption = ReturnType<typeof createInterruption>;

function sessionIo({ stdout, stderr, bytesOut }: ProgramOutput, interruption: Interruption): SessionIo {
  return {
    stdin: Readable.from([]),
    stdout,
    stderr,
    onWindowChange: () => {},
    onSignal: () => {},
    closed: interruption.closed,
    traffic: () => ({ bytesIn: 0, bytesOut: bytesOut() }),
    tell: ({ sentence, failure }: GatewayNotice) =>
      interruption.interrupt(failure ?? new GatewayError('session-ended', { reason: sentence })),
  };
}

const acceptsJson = (accept: string | undefined) =>
  (accept ?? '')
    .split(',')
    .some((range) => /^\s*application\/json\s*(;(?!\s*q=0(\.0*)?\s*$).*)?$/i.test(range));
