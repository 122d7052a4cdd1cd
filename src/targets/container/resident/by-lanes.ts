/**
 * A resident's connection whose programs go by lanes: sockets of its passage that carry one program after the other,
 * without what HTTP/2 costs each of them. Where none is free, they go by HTTP/2.
 */
import type { Socket } from 'node:net';
import { createLaneReader, frame, frameHeader } from '../sidecar/inside/lane-frames.ts';
import { LaneStream } from '../sidecar/inside/lane-stream.ts';
import {
  type Answered,
  answerWithinMs,
  freshMs,
  type InsideConnection,
  InsideLost,
  InsideRefusal,
} from '../sidecar/inside-connection.ts';
import type { Passage } from '../sidecar/open-passage.ts';

/** As many programs at a time; each is a socket on both sides. */
const maxLanes = 8;
/** A few fields. */
const maxAnswerBytes = 4 * 1024;

interface Lane {
  readonly token: string;
  readonly socket: Socket;
  /** What carries a program now. */
  use: LaneUse | undefined;
}

interface LaneUse {
  readonly stream: LaneStream;
  /** The other side's. */
  begun(headers: Answered['headers']): void;
  ended(trailers: Answered['headers']): void;
}

export function byLanes(connection: InsideConnection, passage: Passage): InsideConnection {
  const lanes = new Set<Lane>();
  const free: Lane[] = [];
  let isOpening = false;
  let isOver = false;
  let heardAt = Number.NEGATIVE_INFINITY;

  const cut = (lane: Lane) => {
    if (!lanes.delete(lane)) return;
    lane.socket.destroy();
    lane.use?.stream.destroy();
    const at = free.indexOf(lane);
    if (at >= 0) free.splice(at, 1);
    // It may not be reading just now, and would not learn it.
    connection.ask(`/cut?token=${lane.token}`).then(
      ({ stream }) => stream.end().resume(),
      () => {},
    );
  };
  const serve = (token: string, socket: Socket) => {
    const lane: Lane = { token, socket, use: undefined };
    const read = createLaneReader(maxAnswerBytes, (kind, bytes) => take(lane, kind, bytes));
    socket
      .on('error', () => {})
      .on('end', () => cut(lane))
      .on('close', () => cut(lane));
    socket.on('data', (chunk: Buffer) => {
      heardAt = performance.now();
      try {
        read(chunk);
      } catch {
        cut(lane);
      }
    });
    // It was paused when it had told its token.
    socket.resume();
    lanes.add(lane);
    free.push(lane);
  };
  const open = async () => {
    if (isOpening || isOver || lanes.size >= maxLanes) return;
    isOpening = true;
    const expected = passage.expect();
    try {
      const { stream } = await connection.ask(`/lane?token=${expected.token}`);
      stream.end().resume();
      serve(expected.token, await expected.arrived());
    } catch {
      isOver = true;
    } finally {
      expected.forget();
      isOpening = false;
    }
  };
  connection.onClose(() => {
    isOver = true;
    for (const lane of [...lanes]) cut(lane);
  });
  void open();

  const run = (lane: Lane, order: Buffer): Promise<Answered> => {
    const answered = askOver(lane, order);
    lane.use?.stream.once('close', () => {
      const isWhole = lane.use?.stream.readableEnded && lane.use.stream.writableFinished;
      lane.use = undefined;
      if (isWhole && lanes.has(lane)) free.push(lane);
      else cut(lane);
    });
    return answered;
  };
  return {
    get load() {
      return connection.load + lanes.size - free.length;
    },
    get isOpen() {
      return connection.isOpen;
    },
    get isWorn() {
      return connection.isWorn;
    },
    onClose: (listener) => connection.onClose(listener),
    close: () => connection.close(),
    answers: async (withinMs) =>
      performance.now() - heardAt < freshMs ? connection.isOpen : connection.answers(withinMs),
    ask(path, body) {
      const lane = path === '/run' && body ? free.pop() : undefined;
      if (lane && body) return run(lane, body);
      if (path === '/run') void open();
      return connection.ask(path, body);
    },
  };
}

/** What it says is a stranger's word. Throws on what does not belong there. */
function take({ use }: Lane, kind: number, bytes: Buffer): void {
  if (!use) throw new Error('nobody has asked');
  if (kind === frame.data) use.stream.receive(bytes);
  else if (kind === frame.begin) use.begun(readFields(bytes));
  else {
    use.ended(readFields(bytes));
    use.stream.receive(null);
  }
}

function readFields(bytes: Buffer): Answered['headers'] {
  const fields: unknown = JSON.parse(bytes.toString('utf8') || '{}');
  if (typeof fields !== 'object' || fields === null) throw new Error('these are no fields');
  return fields as Answered['headers'];
}

function askOver(lane: Lane, order: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const stream = new LaneStream(lane.socket);
    let trailers: Answered['headers'] | undefined;
    const refuse = (code: string) => {
      clearTimeout(deadline);
      reject(new InsideRefusal(code));
    };
    const deadline = setTimeout(() => {
      refuse('ETIMEDOUT');
      stream.destroy();
    }, answerWithinMs);
    stream
      .on('error', () => {})
      .once('close', () => {
        clearTimeout(deadline);
        reject(new InsideLost('it ended without an answer'));
      });
    lane.use = {
      stream,
      begun(headers) {
        clearTimeout(deadline);
        const cancel = () => void stream.destroy();
        if (headers[':status'] === 200) return resolve({ stream, headers, cancel, trailers: () => trailers });
        refuse(String(headers['x-code'] ?? 'failed'));
        stream.resume().end();
      },
      ended(told) {
        trailers = told;
      },
    };
    lane.socket.cork();
    lane.socket.write(frameHeader(frame.begin, order.length));
    lane.socket.write(order);
    lane.socket.uncork();
  });
}
