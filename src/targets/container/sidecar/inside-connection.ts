/** Speaks HTTP/2 with a program of ours inside a container, over its stdin and stdout. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { ownEvents } from '../../../platform/fault-owner.ts';
import { setLoopTimeout } from '../../../platform/loop-timeout.ts';
import { createResetBudget } from './reset-budget.ts';

export interface Answered {
  readonly stream: Duplex;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Ends it on both sides at once, whatever is under way; `destroy` lets the other side send on. */
  cancel(): void;
  /** What came after its last byte, if that has come. */
  trailers(): Readonly<Record<string, unknown>> | undefined;
}

/** The gateway's end of a program of ours inside a container. */
export interface InsideConnection {
  /** Streams that are open now. */
  readonly load: number;
  /** How often it was asked, ever. */
  readonly asked: number;
  readonly isOpen: boolean;
  /** So many streams were cut off lately that nothing new should begin here, or all of it could end: see reset-budget. */
  readonly isWorn: boolean;
  /**
   * Asks for `path`, with `body` as the first that is sent, and resolves to the stream when that program has done it. Rejects with an InsideRefusal, or with an
   * InsideLost where it is gone.
   */
  ask(path: string, body?: Buffer): Promise<Answered>;
  /** Whether it has said anything in the last quarter of a second, or does so now that it is asked to. */
  answers(withinMs: number): Promise<boolean>;
  onClose(listener: () => void): void;
  close(): void;
}

/** What goes another way than by the connection itself. */
export interface Detour {
  readonly ask: InsideConnection['ask'];
  readonly answers?: InsideConnection['answers'];
  /** What it carries now, beside the connection's streams. */
  readonly load?: () => number;
}

/** The same connection with a detour. */
export function withDetour(
  connection: InsideConnection,
  { ask, answers = (withinMs) => connection.answers(withinMs), load = () => 0 }: Detour,
): InsideConnection {
  let asked = 0;
  return {
    get load() {
      return connection.load + load();
    },
    get asked() {
      return asked;
    },
    get isOpen() {
      return connection.isOpen;
    },
    get isWorn() {
      return connection.isWorn;
    },
    ask(path, body) {
      asked++;
      return ask(path, body);
    },
    answers,
    onClose: (listener) => connection.onClose(listener),
    close: () => connection.close(),
  };
}

/** What it could not do, by the system's code: ECONNREFUSED, ENOTFOUND. */
export class InsideRefusal extends Error {
  override readonly name = 'InsideRefusal';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export class InsideLost extends Error {
  override readonly name = 'InsideLost';
}

const startWithinMs = 15_000;
export const answerWithinMs = 12_000;
const pingIntervalMs = 20_000;
export const freshMs = 250;
/** What one stream may have under way, and all of them: a stream that waits must not hold up the others. */
const windowBytes = 1024 * 1024;
const allWindowsBytes = 64 * 1024 * 1024;
/** Node never takes off what a stream had under way when it was cut off: a limit would be reached. The windows are the bound. */
const maxSessionMemoryMb = 1_000_000;

/** Resolves when the other end has spoken HTTP/2, within 15 s unless said otherwise. */
export function greet(stdio: Duplex, withinMs = startWithinMs): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    // Node says nothing, ever, of a session over what had closed before.
    if (stdio.destroyed) return reject(new Error('it ended'));
    const session = connect('http://inside', {
      createConnection: () => stdio,
      settings: { enablePush: false, initialWindowSize: windowBytes, maxFrameSize: 64 * 1024 },
      maxSessionMemory: maxSessionMemoryMb,
      peerMaxConcurrentStreams: 1_024,
      maxOutstandingPings: 3,
    });
    const deadline = setTimeout(() => {
      // A session only ends when all that it has written is written, which may be never.
      reject(new Error('no answer in time'));
      session.destroy();
      stdio.destroy();
    }, withinMs);
    session.once('error', reject);
    session.once('close', () => {
      clearTimeout(deadline);
      reject(new Error('it ended'));
    });
    session.once('remoteSettings', () => {
      clearTimeout(deadline);
      session.off('error', reject);
      session.setLocalWindowSize(allWindowsBytes);
      session.on('error', () => {});
      resolve(session);
    });
  });
}

export interface Patience {
  /** Whether the other end cannot answer for now, and will go on as if nothing had been; never rejects. */
  readonly isPaused?: () => Promise<boolean>;
  readonly pingEveryMs?: number;
}

/** `gone` is called when the connection has ended, whoever ended it. */
export function speak(
  session: ClientHttp2Session,
  stdio: Duplex,
  gone: () => void,
  patience: Patience = {},
): InsideConnection {
  const listeners: (() => void)[] = [];
  const resets = createResetBudget();
  let load = 0;
  let asked = 0;
  let heardAt = performance.now();
  let pinging: Promise<boolean> | undefined;
  stdio.on('data', () => {
    heardAt = performance.now();
  });
  const stopPings = keepPinging(session, stdio, patience);
  session.once('close', () => {
    stopPings();
    gone();
    for (const listener of listeners) listener();
  });
  return {
    get load() {
      return load;
    },
    get asked() {
      return asked;
    },
    get isOpen() {
      return !session.closed && !session.destroyed;
    },
    get isWorn() {
      return resets.isWorn;
    },
    async ask(path, body) {
      asked++;
      if (session.closed || session.destroyed) throw new InsideLost('it has ended');
      const stream = session.request({ ':method': 'POST', ':path': path }, { endStream: false });
      ownEvents(stream, { end: () => stream.destroy() });
      if (body) stream.write(body);
      load++;
      stream.once('close', () => {
        load--;
        const isWhole = stream.rstCode === 0 && stream.readableEnded && stream.writableFinished;
        if (!isWhole) resets.note();
      });
      let trailers: Answered['headers'] | undefined;
      stream.once('trailers', (headers) => {
        trailers = headers;
      });
      const cancel = () => {
        stream.close(constants.NGHTTP2_CANCEL);
        stream.destroy();
      };
      return { stream, headers: await answered(stream), cancel, trailers: () => trailers };
    },
    async answers(withinMs) {
      if (session.closed || session.destroyed) return false;
      if (performance.now() - heardAt < freshMs) return true;
      pinging ??= pinged(session, withinMs).finally(() => {
        pinging = undefined;
      });
      return pinging;
    },
    onClose: (listener) => void listeners.push(listener),
    close: () => session.destroy(),
  };
}

/** Ends what answers no more. Returns what stops it. */
function keepPinging(
  session: ClientHttp2Session,
  stdio: Duplex,
  { isPaused = async () => false, pingEveryMs = pingIntervalMs }: Patience,
): () => void {
  let wasPaused = false;
  const ping = async () => {
    // One that is being ended waits for its connection, and takes no more.
    if (!session.destroyed && session.ping(() => {})) return;
    // As many unanswered: it hangs, or its connection does. Of one that was paused just now the answers are still to come.
    const before = wasPaused;
    wasPaused = await isPaused();
    if (before || wasPaused) return;
    session.destroy();
    stdio.destroy();
  };
  const interval = setInterval(() => void ping(), pingEveryMs).unref();
  return () => clearInterval(interval);
}

function pinged(session: ClientHttp2Session, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const stopWaiting = setLoopTimeout(() => resolve(false), withinMs);
    const told = (answer: boolean) => {
      stopWaiting();
      resolve(answer);
    };
    if (!session.ping((error) => told(error === null))) told(false);
  });
}

function answered(stream: ClientHttp2Stream): Promise<Answered['headers']> {
  return new Promise((resolve, reject) => {
    stream.on('error', () => {});
    const deadline = setTimeout(() => {
      reject(new InsideRefusal('ETIMEDOUT'));
      stream.close(constants.NGHTTP2_CANCEL);
    }, answerWithinMs);
    stream.once('close', () => {
      clearTimeout(deadline);
      reject(new InsideLost('it ended without an answer'));
    });
    stream.once('response', (headers) => {
      clearTimeout(deadline);
      if (headers[':status'] === 200) return resolve(headers);
      reject(new InsideRefusal(String(headers['x-code'] ?? 'failed')));
      stream.close();
    });
  });
}
