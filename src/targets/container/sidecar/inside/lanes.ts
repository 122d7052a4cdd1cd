/**
 * Lanes: further connections to the gateway's socket, each of which carries the streams of programs one after the other, without
 * what HTTP/2 costs each of them. Imports nothing but Node and `platform/lent-reads`.
 */
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { lentReads } from '../../../../platform/lent-reads.ts';
import { settle } from './dial.ts';
import { createLaneReader, frame, frameHeader } from './lane-frames.ts';
import { LaneStream } from './lane-stream.ts';
import type { ProgramStream } from './program-order.ts';
import type { Answer } from './serve.ts';
import { coded, oPath } from './sockets.ts';

const connectWithinMs = 2_000;
/** An order, of the gateway. */
const maxOrderBytes = 8 * 1024 * 1024;

export interface Lanes {
  /** The gateway's socket was reached there; it is held on to, for its path goes away. */
  hold(path: string): void;
  /** Opens the lane of that `token`. */
  readonly open: Answer;
  /** The gateway has left that one, which may not be read from just now. */
  readonly cut: Answer;
}

type AnswerProgram = (stream: ProgramStream) => Promise<void>;

export function createLanes(answer: AnswerProgram): Lanes {
  const lanes = new Map<string, Socket>();
  let held: number | undefined;
  return {
    hold(path) {
      if (held !== undefined) closeSync(held);
      held = openSync(path, oPath);
    },
    async open(stream, query) {
      const token = query.get('token') ?? '';
      if (held === undefined) throw coded('ENOENT');
      const lane: { socket?: Socket; reader?: Readable | undefined } = {};
      const onread = lentReads(() => lane.socket as Socket, {
        reader: () => lane.reader,
      });
      const socket = await settle({ path: `/proc/self/fd/${held}`, onread }, connectWithinMs);
      lane.socket = socket;
      lanes.set(token, socket);
      socket.once('close', () => lanes.delete(token));
      socket.write(`${token}\n`);
      serveLane(socket, answer, (reader) => {
        lane.reader = reader;
      });
      stream.respond({ ':status': 200 }, { endStream: true });
    },
    async cut(stream, query) {
      lanes.get(query.get('token') ?? '')?.destroy();
      stream.respond({ ':status': 200 }, { endStream: true });
    },
  };
}

/** `setReader` is told whose is what comes. */
function serveLane(
  socket: Socket,
  answer: AnswerProgram,
  setReader: (reader: Readable | undefined) => void,
): void {
  let current: AnswerStream | undefined;
  const read = createLaneReader(maxOrderBytes, (kind, bytes) => {
    if (kind === frame.begin) {
      current = new AnswerStream(socket);
      setReader(current);
      begin(current, answer);
      // It is kept until the rest of it is there.
      if (bytes.length > 0) current.receive(Buffer.from(bytes));
    } else if (kind === frame.data) current?.receive(bytes);
    else {
      setReader(undefined);
      current?.receive(null);
    }
  });
  socket.on('error', () => {}).on('end', () => socket.destroy());
  socket.on('close', () => current?.destroy());
  socket.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch {
      socket.destroy();
    }
  });
  socket.resume();
}

function begin(stream: AnswerStream, answer: AnswerProgram): void {
  stream.on('error', () => {});
  answer(stream).catch((error: NodeJS.ErrnoException) => {
    if (!stream.destroyed) stream.refuse(String(error.code ?? 'failed'));
  });
}

/** Answers as an HTTP/2 stream does. */
class AnswerStream extends LaneStream implements ProgramStream {
  readonly #socket: Socket;
  #trailers: object = {};

  constructor(socket: Socket) {
    super(socket, () => {
      this.emit('wantTrailers');
      return Buffer.from(JSON.stringify(this.#trailers));
    });
    this.#socket = socket;
  }

  respond(headers: object): void {
    const head = Buffer.from(JSON.stringify(headers));
    this.#socket.write(Buffer.concat([frameHeader(frame.begin, head.length), head]));
  }

  sendTrailers(trailers: object): void {
    this.#trailers = trailers;
  }

  refuse(code: string): void {
    this.respond({ ':status': 502, 'x-code': code });
    this.resume().end();
  }
}
