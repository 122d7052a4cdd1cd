/** A recorder round a session in a target: the handler that it wraps knows nothing of it. */
import type { Logger } from 'pino';
import type { Audit } from '../audit/audit.ts';
import type { Authorization } from '../auth/authorization.ts';
import { maskSecrets } from '../commands/interpreter/mask.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { noAnswer, withPatience } from '../recordings/patience.ts';
import type { RecordingMode } from '../recordings/recording-modes.ts';
import type { Recording, RecordingFacts, Recordings } from '../recordings/recordings.ts';
import { createScpLog, parseScpProgram } from '../recordings/scp-log.ts';
import {
  type SessionTap,
  type TapRules,
  tapExec,
  tapFiles,
  tapTerminal,
} from '../recordings/session-taps.ts';
import { createSftpLog } from '../recordings/sftp-log.ts';
import { openInTime } from './open-in-time.ts';
import { whoAndWhere } from './recorded-facts.ts';
import type { SessionContext, SessionEnd, SessionHandler, SessionRequest } from './session.ts';
import { tapIo } from './tapped-io.ts';

export interface RecordSessionDependencies {
  readonly recordings: Pick<Recordings, 'open'>;
  readonly audit: Audit;
  readonly log: Logger;
  readonly rules: TapRules;
}

/**
 * The same handler, recorded where the Authorization says so. Where it must be and cannot, it throws
 * `recording-impossible`, or `recording-lost` in the middle; else the session goes on without.
 */
export type RecordSession = (authorization: Authorization, handler: SessionHandler) => SessionHandler;

export function createRecordSession(dependencies: RecordSessionDependencies): RecordSession {
  return (authorization, handler) => {
    const { recording: mode } = authorization;
    if (!mode) return handler;
    return async (request, io, context) => {
      const recording = await openRecording(dependencies, mode, authorization, request, context);
      if (!recording) return handler(request, io, context);
      const { failed } = recording;
      const closed = mode === 'required' ? AbortSignal.any([io.closed, failed]) : io.closed;
      const tap = chooseTap(request, recording, dependencies.rules);
      const tapped = tapIo(io, tap, closed);
      const outcome = await handler(request, tapped.io, context).then(
        (end) => ({ end }),
        (error: unknown) => ({ error }),
      );
      await tapped.flushed();
      tap.end();
      const finished = recording.finish(endOf(outcome)).then(() => true);
      const isKept = (await withPatience(mode, finished)) === true && !failed.aborted;
      if (mode === 'required' && !isKept) throw lost(authorization, failed);
      if ('error' in outcome) throw outcome.error;
      return outcome.end;
    };
  };
}

type Outcome = { readonly end: SessionEnd } | { readonly error: unknown };

function endOf(outcome: Outcome): Readonly<Record<string, unknown>> {
  if ('end' in outcome) return { ...outcome.end };
  return { failure: isGatewayError(outcome.error) ? outcome.error.code : 'internal' };
}

const lost = ({ target }: Authorization, { aborted, reason }: AbortSignal) =>
  new GatewayError('recording-lost', { target: target.name, reason: aborted ? String(reason) : noAnswer });

/** Undefined where there is none, and none is needed. Throws recording-impossible. */
async function openRecording(
  { recordings, audit, log }: RecordSessionDependencies,
  mode: RecordingMode,
  authorization: Authorization,
  request: SessionRequest,
  context: SessionContext,
): Promise<Recording | undefined> {
  const { identity, target } = authorization;
  const { sessionId } = context;
  const facts = { recordingId: sessionId, target: target.name, required: mode === 'required' };
  const fail = (reason: string) => audit.recordingFailed(identity, { ...facts, reason });
  const opening = recordings.open(factsOf(authorization, request, context), mode);
  const recording = await openInTime(opening, mode, target.name, (failure) => {
    fail(failure.reason);
    if (mode !== 'required') log.warn({ err: failure, sessionId }, 'a session is not recorded');
    opening.then(
      (late) => late.finish({ failure: 'opened too late' }),
      () => {},
    );
  });
  if (!recording) return undefined;
  audit.recordingStarted(identity, facts);
  recording.failed.addEventListener('abort', () => fail(String(recording.failed.reason)), { once: true });
  return recording;
}

const longestCommand = 16 * 1024;

function factsOf(
  authorization: Authorization,
  request: SessionRequest,
  { sessionId, connectionId }: SessionContext,
): RecordingFacts {
  const { pty } = request;
  return {
    ...whoAndWhere(authorization, connectionId),
    id: sessionId,
    kind: kindOf(request),
    command: excerpt(commandOf(request), longestCommand),
    ...(pty ? { terminal: { columns: pty.size.columns, rows: pty.size.rows, term: pty.term } } : {}),
  };
}

function commandOf({ start }: SessionRequest): string {
  if (start.kind === 'exec') return maskSecrets(start.command.slice(0, 4 * longestCommand).toWellFormed());
  return start.kind === 'subsystem' ? `subsystem ${start.name}` : 'shell';
}

const isSftp = ({ start }: SessionRequest) => start.kind === 'subsystem' && start.name === 'sftp';
const scpProgramOf = ({ start }: SessionRequest) =>
  start.kind === 'exec' ? parseScpProgram(start.command) : undefined;

function kindOf(request: SessionRequest): RecordingFacts['kind'] {
  if (isSftp(request) || scpProgramOf(request)) return 'files';
  return request.pty ? 'terminal' : 'exec';
}

function chooseTap(request: SessionRequest, recording: Recording, rules: TapRules): SessionTap {
  const plain = request.pty ? tapTerminal(recording, rules) : tapExec(recording, rules);
  // Files go by whatever way they are asked to: with a terminal (ssh -tt -s) their protocol passes as well.
  if (isSftp(request)) return tapFiles(recording, plain, createSftpLog);
  const scp = scpProgramOf(request);
  return scp ? tapFiles(recording, plain, (listener) => createScpLog(scp, listener)) : plain;
}
