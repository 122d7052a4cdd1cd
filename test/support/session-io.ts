/** A client without a network: a SessionIo of real streams, and what came out of it. */
import { PassThrough, Readable, Writable } from 'node:stream';
import type { Authorization, SessionAllowances } from '../../src/auth/authorization.ts';
import { grantAuthorization } from '../../src/auth/authorization.ts';
import { type Identity, provenIdentity } from '../../src/auth/identity.ts';
import {
  type RunnerDependencies,
  runAccountSession,
  type SessionToRun,
} from '../../src/sessions/run-session.ts';
import type {
  Pty,
  SessionContext,
  SessionEnd,
  SessionHandler,
  SessionIo,
  SessionRequest,
  SessionStart,
  WindowSize,
} from '../../src/sessions/session.ts';
import type { ContainerEngine, ContainerTarget } from '../../src/targets/target.ts';

export const identity = provenIdentity({
  accountId: 'account',
  accountName: 'tester',
  keyId: 'key',
  fingerprint: 'SHA256:test',
  source: { address: '192.0.2.7', port: 50123 },
});

export const context: SessionContext = {
  connectionId: 'connection',
  sessionId: 'session',
  identity,
  loginName: 'rexec-test',
  source: identity.source,
  local: { address: '198.51.100.1', port: 2222 },
};

const allowEverything: SessionAllowances = { pty: true, forwarding: true, agentForwarding: true, sftp: true };

/** Leave to open the container with that id, as the engine lists it. */
export async function authorizationFor(
  engine: ContainerEngine,
  id: string,
  user?: string,
  allows: Partial<SessionAllowances> = {},
): Promise<Authorization<ContainerTarget>> {
  const target = (await engine.list()).find((each) => each.id === id);
  if (!target) throw new Error(`the engine lists no container ${id}`);
  return grantAuthorization({ target, user, identity, allows: { ...allowEverything, ...allows } });
}

export function terminal(columns = 80, rows = 24, modes: Pty['modes'] = new Map()): Pty {
  return { term: 'xterm-256color', size: { columns, rows, widthPx: 0, heightPx: 0 }, modes };
}

export interface StartOptions {
  readonly pty?: Pty;
  readonly env?: Readonly<Record<string, string>>;
  /** Undefined: stays open until written to and ended. */
  readonly stdin?: string | Buffer | Readable;
  readonly stdout?: Writable;
}

export interface RunningSession {
  readonly stdin: PassThrough;
  readonly end: Promise<SessionEnd>;
  /** What came so far, byte for byte. */
  stdout(): Buffer;
  stderr(): Buffer;
  /** Resolves once stdout holds `text`. */
  saw(text: string | RegExp): Promise<string>;
  resize(columns: number, rows: number): void;
  signal(name: string): void;
  /** The client vanishes. */
  vanish(): void;
}

const noListener = () => {};

/** Starts a session and collects its output. */
export function startSession(
  handler: SessionHandler,
  start: SessionStart | string,
  options: StartOptions = {},
): RunningSession {
  const stdin = new PassThrough();
  const out = collector();
  const err = collector();
  const closing = new AbortController();
  let onResize: (size: WindowSize) => void = noListener;
  let onSignal: (name: string) => void = noListener;
  const io: SessionIo = {
    stdin,
    stdout: options.stdout ?? out.stream,
    stderr: err.stream,
    onWindowChange: (listener) => {
      onResize = listener;
    },
    onSignal: (listener) => {
      onSignal = listener;
    },
    closed: closing.signal,
  };
  const request: SessionRequest = {
    start: typeof start === 'string' ? { kind: 'exec', command: start } : start,
    env: new Map(Object.entries(options.env ?? {})),
    ...(options.pty ? { pty: options.pty } : {}),
  };
  if (options.stdin instanceof Readable) options.stdin.pipe(stdin);
  else if (options.stdin !== undefined) stdin.end(options.stdin);
  const end = handler(request, io, context);
  end.catch(noListener);
  return {
    stdin,
    end,
    stdout: out.bytes,
    stderr: err.bytes,
    saw: (text) => Promise.race([out.saw(text), endedWithout(end, text)]),
    resize: (columns, rows) => onResize({ columns, rows, widthPx: 0, heightPx: 0 }),
    signal: (name) => onSignal(name),
    vanish: () => closing.abort(),
  };
}

/** The same of an account, with what stands round every session. */
export function startAccountSession(
  dependencies: RunnerDependencies,
  identity: Identity,
  start: SessionStart | string,
  route: SessionToRun['route'],
): RunningSession {
  const traffic = () => ({ bytesIn: 0, bytesOut: 0 });
  const run: SessionHandler = (request, io) =>
    runAccountSession(dependencies, { context: { ...context, identity }, request, io, traffic, route });
  return startSession(run, start);
}

export interface Finished {
  readonly end: SessionEnd;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a session with nothing on stdin to its end. */
export async function runSession(
  handler: SessionHandler,
  start: SessionStart | string,
  options: StartOptions = {},
): Promise<Finished> {
  const session = startSession(handler, start, { stdin: '', ...options });
  const end = await session.end;
  return { end, stdout: session.stdout().toString(), stderr: session.stderr().toString() };
}

async function endedWithout(end: Promise<SessionEnd>, text: string | RegExp): Promise<never> {
  const how = await end;
  throw new Error(`the session ended (${JSON.stringify(how)}) before ${text} was seen`);
}

function collector() {
  const chunks: Buffer[] = [];
  let changed = Promise.withResolvers<void>();
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      changed.resolve();
      changed = Promise.withResolvers();
      done();
    },
  });
  const bytes = () => Buffer.concat(chunks);
  const saw = async (text: string | RegExp): Promise<string> => {
    for (;;) {
      const seen = bytes().toString();
      if (typeof text === 'string' ? seen.includes(text) : text.test(seen)) return seen;
      await changed.promise;
    }
  };
  return { stream, bytes, saw };
}
