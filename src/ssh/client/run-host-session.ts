/** One session in a host, RFC 4254 §6: its requests, its three streams, and how it ended. */
import type { Readable, Writable } from 'node:stream';
import { GatewayError } from '../../errors.ts';
import { aborted } from '../../platform/aborted.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import { bytesOfText } from '../../platform/text-of-bytes.ts';
import type {
  Pty,
  SessionEnd,
  SessionIo,
  SessionRequest,
  SessionStart,
  WindowSize,
} from '../../sessions/session.ts';
import type { Channel } from '../channel.ts';
import { byte, string, uint32, type WireReader } from '../wire.ts';

/** What a program without a client is recorded as. */
const hungUp: SessionEnd = { exitSignal: 'HUP', message: 'the client went away' };

export interface HostSession {
  readonly host: string;
  /** A fresh channel of type session whose stderr is taken. */
  readonly channel: Channel;
  readonly request: SessionRequest;
  readonly io: SessionIo;
  /** Have the host make an agent socket. */
  readonly wantsAgent: boolean;
  /** Why the connection was lost, if it was. */
  readonly lost: () => string | undefined;
}

/** Throws host-start-refused, host-lost. */
export async function runHostSession(session: HostSession): Promise<SessionEnd> {
  const { host, channel, request, io } = session;
  if (io.closed.aborted) {
    channel.close();
    return hungUp;
  }
  const ending = watchEnding(channel);
  const leave = () => channel.close();
  io.closed.addEventListener('abort', leave, { once: true });
  const output = carryOutput(channel, io);
  try {
    const { pty, started } = askForAll(session);
    if (request.pty && !(await pty) && channel.isOpen) {
      io.stderr.write(`postern: ${host} gave no terminal\r\n`);
    }
    if (!(await started) && channel.isOpen) {
      channel.close();
      throw new GatewayError('host-start-refused', { host, what: what(request) });
    }
    const stopInput = carryInput(channel, io);
    carryRequests(channel, io);
    await Promise.race([output, aborted(io.closed)]);
    stopInput();
    if (io.closed.aborted) return hungUp;
    const end = ending();
    if (end) return end;
    const reason = session.lost();
    if (reason !== undefined) throw new GatewayError('host-lost', { host, reason });
    // As ssh(1) has it for a session that ends without a status.
    return { exitStatus: 255 };
  } finally {
    io.closed.removeEventListener('abort', leave);
    channel.close();
    channel.resume();
    channel.stderrIn?.resume();
  }
}

const what = ({ start }: SessionRequest) =>
  start.kind === 'subsystem' ? `the subsystem ${printable(excerpt(start.name))}` : 'a program';

/** All at once: no round trip is waited for between them. */
function askForAll({ channel, request, wantsAgent }: HostSession) {
  if (wantsAgent) channel.sendRequest('auth-agent-req@openssh.com', Buffer.alloc(0));
  const pty = request.pty ? channel.askRequest('pty-req', ptyRequest(request.pty)) : Promise.resolve(true);
  const { originalCommand } = request;
  const env = new Map(request.env);
  // Ours to say: a client's own is not passed on.
  env.delete('SSH_ORIGINAL_COMMAND');
  if (originalCommand !== undefined) env.set('SSH_ORIGINAL_COMMAND', originalCommand);
  for (const [name, value] of env) {
    channel.sendRequest('env', Buffer.concat([string(name), string(value)]));
  }
  const started = channel.askRequest(request.start.kind, startData(request.start));
  return { pty, started };
}

/** RFC 4254 §6.5. */
const startData = (start: SessionStart): Buffer =>
  start.kind === 'shell'
    ? Buffer.alloc(0)
    : string(start.kind === 'exec' ? bytesOfText(start.command) : start.name);

const sizeFields = ({ columns, rows, widthPx, heightPx }: WindowSize) =>
  Buffer.concat([columns, rows, widthPx, heightPx].map(uint32));

/** RFC 4254 §6.2, §8. */
function ptyRequest({ term, size, modes }: Pty): Buffer {
  const encoded = [...modes].map(([opcode, value]) => Buffer.concat([byte(opcode), uint32(value)]));
  return Buffer.concat([string(term), sizeFields(size), string(Buffer.concat([...encoded, byte(0)]))]);
}

const breakMs = 1_000;

function carryRequests(channel: Channel, io: SessionIo): void {
  io.onWindowChange((size) => channel.sendRequest('window-change', sizeFields(size)));
  io.onSignal((name) => {
    if (name === 'BREAK') channel.sendRequest('break', uint32(breakMs));
    else channel.sendRequest('signal', string(name));
  });
}

/** Returns what stops it. */
function carryInput(channel: Channel, { stdin, stopInput }: SessionIo): () => void {
  const stop = () => void stdin.unpipe(channel);
  // OpenSSH's PROTOCOL 2.1: the program reads no more.
  channel.requests.set('eow@openssh.com', () => {
    stop();
    stdin.resume();
    stopInput?.();
    return true;
  });
  stdin.pipe(channel);
  return stop;
}

/** Resolves when all that the program wrote was handed over, and the channel is closed. */
async function carryOutput(channel: Channel, { stdout, stderr }: SessionIo): Promise<void> {
  const read = (from: Readable, to: Writable) =>
    new Promise<void>((resolve) => {
      from.once('end', resolve);
      from.pipe(to, { end: false });
    });
  await Promise.all([
    read(channel, stdout),
    ...(channel.stderrIn ? [read(channel.stderrIn, stderr)] : []),
    aborted(channel.gone),
  ]);
}

/** RFC 4254 §6.10. What comes first counts. */
function watchEnding(channel: Channel): () => SessionEnd | undefined {
  let end: SessionEnd | undefined;
  const reader = (read: (data: WireReader) => SessionEnd | undefined) => (data: WireReader) => {
    end ??= read(data);
    return true;
  };
  channel.requests.set(
    'exit-status',
    reader((data) => ({ exitStatus: data.uint32() })),
  );
  channel.requests.set('exit-signal', reader(readExitSignal));
  return () => end;
}

const maxMessageCharacters = 1_000;

function readExitSignal(data: WireReader): SessionEnd | undefined {
  const exitSignal = data.text();
  const coreDumped = data.boolean();
  const message = printable(excerpt(data.text(), maxMessageCharacters));
  return /^[\w@.-]{1,64}$/.test(exitSignal) ? { exitSignal, message, coreDumped } : undefined;
}
