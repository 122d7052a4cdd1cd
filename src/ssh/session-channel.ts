/**
 * A `session` channel, RFC 4254 §6: gathers pty and env, and at exec, shell or subsystem freezes the
 * request and runs it. The start is confirmed at once and the program's streams wait: ssh2 loses the
 * stdin of a start that is confirmed late (library-traps 8).
 */
import { copiesAtOnce } from '../platform/lent-reads.ts';
import { textOfBytes } from '../platform/text-of-bytes.ts';
import type {
  Pty,
  SessionEnd,
  SessionIo,
  SessionRequest,
  SessionStart,
  WindowSize,
} from '../sessions/session.ts';
import { type Channel, channelGone, type RequestHandler } from './channel.ts';
import { endSession } from './end-session.ts';
import type { WireReader } from './wire.ts';

/** Runs one session; never rejects. */
export type StartSession = (request: SessionRequest, io: SessionIo, channel: Channel) => Promise<SessionEnd>;

const maxEnvVariables = 256;
const maxEnvBytes = 128 * 1024;
const maxCommandBytes = 256 * 1024;
const maxEarlySignals = 16;
const maxPtySide = 32_767;

/**
 * Installs the request handlers of a session channel; `start` is called at most once. `openAgent`: how the peer's agent
 * is reached, where it may be lent at all.
 */
export function serveSessionChannel(
  channel: Channel,
  start: StartSession,
  openAgent?: SessionIo['openAgent'],
): void {
  const state: SessionState = {
    started: false,
    agent: false,
    env: new Map(),
    envBytes: 0,
    windowListeners: [],
    signalListeners: [],
    earlySignals: [],
    onBrokenPipe: () => {},
  };
  const begin = (kind: SessionStart) => {
    if (state.started) return false;
    state.started = true;
    channel.openWindow();
    const request = Object.freeze({
      start: kind,
      env: state.env,
      ...(state.pty ? { pty: state.pty } : {}),
    });
    const io = { ...sessionIo(channel, state), ...(state.agent && openAgent ? { openAgent } : {}) };
    void start(request, io, channel).then((end) => endSession(channel, end));
    return true;
  };
  const mayLendAgent = openAgent !== undefined;
  const handlers = { ...settings(channel, state, mayLendAgent), ...starts(begin) };
  for (const [type, handler] of Object.entries(handlers)) channel.requests.set(type, handler);
}

type Handlers = Readonly<Record<string, RequestHandler>>;

/** RFC 4254 §6.5: one of them, once. */
const starts = (begin: (kind: SessionStart) => boolean): Handlers => ({
  shell: () => begin({ kind: 'shell' }),
  exec: (data) => {
    const command = data.bytes();
    if (command.length > maxCommandBytes || command.includes(0)) return false;
    return begin({ kind: 'exec', command: textOfBytes(command) });
  },
  subsystem: (data) => begin({ kind: 'subsystem', name: data.text() }),
});

/** What comes before the start, and beside the session. */
const settings = (channel: Channel, state: SessionState, mayLendAgent: boolean): Handlers => ({
  'pty-req': (data) => acceptPty(state, data),
  env: (data) => acceptEnv(state, data),
  // draft-ietf-sshm-ssh-agent §7.2. Whether the target takes it is seen when the session starts.
  'auth-agent-req@openssh.com': () => {
    if (state.started || !mayLendAgent) return false;
    state.agent = true;
    return true;
  },
  'window-change': (data) => {
    const size = readWindowSize(data);
    if (!state.pty) return false;
    state.lastSize = size;
    for (const listener of state.windowListeners) listener(size);
    return true;
  },
  signal: (data) => deliverSignal(state, data.text()),
  break: () => deliverSignal(state, 'BREAK'),
  // OpenSSH's PROTOCOL 2.1: the client will take no more output.
  'eow@openssh.com': () => {
    channel.stopOutput(() => state.onBrokenPipe());
    return true;
  },
});

interface SessionState {
  started: boolean;
  /** Whether the peer lends its agent. */
  agent: boolean;
  pty?: Pty;
  readonly env: Map<string, string>;
  envBytes: number;
  readonly windowListeners: ((size: WindowSize) => void)[];
  readonly signalListeners: ((name: string) => void)[];
  readonly earlySignals: string[];
  /** Of the last window-change. */
  lastSize?: WindowSize;
  onBrokenPipe: () => void;
}

function sessionIo(channel: Channel, state: SessionState): SessionIo {
  const hangup = new AbortController();
  const abort = () => hangup.abort(channelGone);
  channel.gone.addEventListener('abort', abort, { once: true });
  state.onBrokenPipe = abort;
  // What has left is in packets.
  for (const output of [channel, channel.stderr]) copiesAtOnce(output);
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    // What came before anybody listened is not lost.
    onWindowChange: (listener) => {
      state.windowListeners.push(listener);
      if (state.lastSize) listener(state.lastSize);
    },
    onSignal: (listener) => {
      state.signalListeners.push(listener);
      for (const name of state.earlySignals.splice(0)) listener(name);
    },
    closed: hangup.signal,
    stopInput: () => channel.sendRequest('eow@openssh.com', Buffer.alloc(0)),
  };
}

function deliverSignal(state: SessionState, name: string): boolean {
  if (!state.started || !/^[A-Z0-9]{1,16}$/.test(name)) return false;
  if (state.signalListeners.length === 0 && state.earlySignals.length < maxEarlySignals) {
    state.earlySignals.push(name);
  }
  for (const listener of state.signalListeners) listener(name);
  return true;
}

function acceptEnv(state: SessionState, data: WireReader): boolean {
  const name = data.bytes();
  const value = data.bytes();
  state.envBytes += name.length + value.length;
  if (state.started || state.env.size >= maxEnvVariables || state.envBytes > maxEnvBytes) return false;
  if (name.length === 0 || name.includes(0) || value.includes(0)) return false;
  state.env.set(name.toString('utf8'), value.toString('utf8'));
  return true;
}

function acceptPty(state: SessionState, data: WireReader): boolean {
  const term = data.text();
  const size = readWindowSize(data);
  const modes = readModes(data.bytes());
  if (state.started || !/^[\w.+-]{0,128}$/.test(term)) return false;
  state.pty = { term: term || 'dumb', size, modes };
  return true;
}

function readWindowSize(data: WireReader): WindowSize {
  const side = () => Math.min(data.uint32(), maxPtySide);
  return { columns: side(), rows: side(), widthPx: side(), heightPx: side() };
}

/** RFC 4254 §8: pairs of opcode and value until TTY_OP_END or an opcode of 160 and more. */
function readModes(encoded: Buffer): ReadonlyMap<number, number> {
  const modes = new Map<number, number>();
  for (let offset = 0; offset + 5 <= encoded.length; offset += 5) {
    const opcode = encoded[offset] as number;
    if (opcode === 0 || opcode >= 160) break;
    modes.set(opcode, encoded.readUInt32BE(offset + 1));
  }
  return modes;
}
