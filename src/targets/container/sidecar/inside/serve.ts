/** Answers what the gateway asks for, over HTTP/2 on stdin and stdout. Imports nothing but Node. */
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { openStdio } from './stdio.ts';

/** What it rejects with becomes status 502, its code the header `x-code`. */
export type Answer = (stream: ServerHttp2Stream, query: URLSearchParams) => Promise<void>;

/** The gateway pings far more often: so many looks without it, 90 s, and there is no gateway any more. */
const gatewayGoneLooks = 9;
const looksEveryMs = 10_000;
const maxStreams = 1_024;
/** What one stream may have under way, and all of them: a stream that waits must not hold up the others. */
const windowBytes = 1024 * 1024;
const allWindowsBytes = 64 * 1024 * 1024;
/** Node never takes off what a stream had under way when it was cut off: a limit would be reached. The windows are the bound. */
const maxSessionMemoryMb = 1_000_000;

/**
 * By path. `gone` is called once, when there is no gateway any more. `open` finds another stream to speak over than
 * stdin and stdout, whose end is the gateway's all the same.
 */
export async function serveAnswers(
  answers: ReadonlyMap<string, Answer>,
  gone: () => void,
  open = async (stdio: Duplex): Promise<Duplex> => stdio,
  lookEveryMs = looksEveryMs,
): Promise<void> {
  let isGone = false;
  const end = () => {
    if (isGone) return;
    isGone = true;
    gone();
  };
  const stdio = openStdio();
  stdio.on('end', end).on('close', end).on('error', end);
  const carrier = await open(stdio);
  if (carrier !== stdio) carrier.on('end', end).on('close', end).on('error', end);
  const session = performServerHandshake(carrier, {
    settings: { initialWindowSize: windowBytes, maxConcurrentStreams: maxStreams, maxFrameSize: 64 * 1024 },
    maxSessionMemory: maxSessionMemoryMb,
  });
  session.once('remoteSettings', () => session.setLocalWindowSize(allWindowsBytes));
  session.on('stream', (stream, headers) => serve(answers, stream, headers));
  session.on('close', end).on('error', end);
  let looks = 0;
  // Not by the clock: who was paused, like all in its container, has not waited.
  setInterval(() => ++looks >= gatewayGoneLooks && end(), lookEveryMs);
  session.on('ping', () => {
    looks = 0;
  });
  // Each stream answers for itself; what slips through must not take the others with it.
  process.on('uncaughtException', (error) => console.error(error));
}

function serve(
  answers: ReadonlyMap<string, Answer>,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  stream.on('error', () => {});
  const [path = '', query] = String(headers[':path']).split('?');
  const answer = answers.get(path);
  if (!answer) return stream.respond({ ':status': 404 }, { endStream: true });
  answer(stream, new URLSearchParams(query)).catch((error: NodeJS.ErrnoException) => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 502, 'x-code': String(error.code ?? 'failed') }, { endStream: true });
    stream.close();
  });
}
