/**
 * A resident's connection whose programs go by lanes: sockets of its passage that carry one program after the other,
 * without what HTTP/2 costs each of them. Where none is free, they go by HTTP/2.
 */
import type { Socket } from 'node:net';
import { ownEvents } from '../../../platform/fault-owner.ts';
import { copiesAtOnce, lentReads, readAnew } from '../../../platform/lent-reads.ts';
import { createLaneReader, frame, frameHeader } from '../sidecar/inside/lane-frames.ts';
import { LaneStream } from '../sidecar/inside/lane-stream.ts';
import {
  type Answered,
  answerWithinMs,
  freshMs,
  type InsideConnection,
  InsideLost,
  InsideRefusal,
  withDetour,
} from '../sidecar/inside-connection.ts';
import type { Passage } from '../sidecar/open-passage.ts';

/** As many programs at a time; each is a socket on both sides. */
const maxLanes = 8;
/** A few fields. */
const maxAnswerBytes = 4 * 1024;
/** More than the system holds of a lane: each read costs a way through all layers, and what it brings leaves together. */
const readBytes = 256 * 1024;
/** From a lane that did not come to the next try: each waits for seconds, and the container may be busy just now. */
const againAfterMs = 30_000;

interface Lane {
  readonly token: string;
  readonly socket: Socket;
  /** What carries a program now. */
  use: LaneUse | undefined;
}

interface LaneUse {
  readonly stream: LaneStream;
  /** The other side has ended it. */
  hasEnded: boolean;
  /** The other side's. */
  begun(headers: Answered['headers']): void;
  ended(trailers: Answered['headers']): void;
}

export function byLanes(
  connection: InsideConnection,
  passage: Passage,
  { againMs = againAfterMs } = {},
): InsideConnection {
  let heardAt = Number.NEGATIVE_INFINITY;
  const heard = () => {
    heardAt = performance.now();
  };
  const lanes = createLanes(connection, passage, { heard, againMs });
  connection.onClose(lanes.close);
  lanes.openAnother();
  return withDetour(connection, {
    load: () => lanes.inUse,
    answers: async (withinMs) =>
      performance.now() - heardAt < freshMs ? connection.isOpen : connection.answers(withinMs),
    ask(path, body) {
      const lane = path === '/run' && body ? lanes.take() : undefined;
      if (lane && body) return askOver(lane, body, lanes.leave);
      if (path === '/run') lanes.openAnother();
      return connection.ask(path, body);
    },
  });
}

interface Lanes {
  readonly inUse: number;
  /** One that is free, until `leave`. */
  take(): Lane | undefined;
  /** `isWhole`: both sides have ended what it carried; else it is cut. */
  leave(lane: Lane, isWhole: boolean): void;
  openAnother(): void;
  close(): void;
}

interface LanesOptions {
  /** Called when anything comes by one. */
  heard(): void;
  readonly againMs: number;
}

function createLanes(connection: InsideConnection, passage: Passage, options: LanesOptions): Lanes {
  const lanes = new Set<Lane>();
  const free: Lane[] = [];
  let isOpening = false;
  let isOver = false;
  let notBefore = 0;

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
  const open = async () => {
    isOpening = true;
    try {
      const lane = await openLane(connection, passage);
      if (isOver) return void lane.socket.destroy();
      lanes.add(lane);
      free.push(lane);
      listen(lane, options.heard, () => cut(lane));
    } catch {
      notBefore = performance.now() + options.againMs;
    } finally {
      isOpening = false;
    }
  };
  return {
    get inUse() {
      return lanes.size - free.length;
    },
    take: () => free.pop(),
    leave(lane, isWhole) {
      lane.use = undefined;
      if (isWhole && lanes.has(lane)) free.push(lane);
      else cut(lane);
    },
    openAnother() {
      if (isOpening || isOver || lanes.size >= maxLanes || performance.now() < notBefore) return;
      void open();
    },
    close() {
      isOver = true;
      for (const lane of [...lanes]) cut(lane);
    },
  };
}

async function openLane(connection: InsideConnection, passage: Passage): Promise<Lane> {
  const expected = passage.expect();
  try {
    const { stream } = await connection.ask(`/lane?token=${expected.token}`);
    stream.end().resume();
    const arrived = await expected.arrived();
    const reader = () => (lane.use?.hasEnded ? undefined : lane.use?.stream);
    const onread = lentReads(() => lane.socket, { reader, mostBytes: readBytes });
    const socket = readAnew(arrived, onread);
    if (!socket) throw new Error('it spoke unasked');
    ownEvents(socket, { end: () => socket.destroy() });
    const lane: Lane = { token: expected.token, socket, use: undefined };
    return lane;
  } finally {
    expected.forget();
  }
}

/** `end` is called when nothing more comes, or what does not belong there. */
function listen(lane: Lane, heard: () => void, end: () => void): void {
  const read = createLaneReader(maxAnswerBytes, (kind, bytes) => take(lane, kind, bytes));
  const { socket } = lane;
  socket
    .on('error', () => {})
    .on('end', end)
    .on('close', end);
  socket.on('data', (chunk: Buffer) => {
    heard();
    try {
      read(chunk);
    } catch {
      end();
    }
  });
  // It was paused when it had told its token.
  socket.resume();
}

/** What it says is a stranger's word. Throws on what does not belong there. */
function take({ use }: Lane, kind: number, bytes: Buffer): void {
  if (!use) throw new Error('nobody has asked');
  if (kind === frame.data) use.stream.receive(bytes);
  else if (kind === frame.begin) use.begun(readFields(bytes));
  else {
    use.hasEnded = true;
    use.ended(readFields(bytes));
    use.stream.receive(null);
  }
}

/** As those of HTTP/2 are: to turn anything else into text could run into what it holds. */
function readFields(bytes: Buffer): Answered['headers'] {
  const fields: unknown = JSON.parse(bytes.toString('utf8') || '{}');
  if (typeof fields !== 'object' || fields === null) throw new Error('these are no fields');
  for (const value of Object.values(fields))
    if (typeof value !== 'string' && typeof value !== 'number') throw new Error('this is no field');
  return fields as Answered['headers'];
}

/** `leave`: contract as in Lanes. */
function askOver(lane: Lane, order: Buffer, leave: Lanes['leave']): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const stream = new LaneStream(lane.socket);
    copiesAtOnce(stream, () => stream.writableLength + lane.socket.writableLength);
    let trailers: Answered['headers'] | undefined;
    let isAnswered = false;
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
        if (!isAnswered) reject(new InsideLost('it ended without an answer'));
        leave(lane, stream.readableEnded && stream.writableFinished);
      });
    lane.use = {
      stream,
      hasEnded: false,
      begun(headers) {
        clearTimeout(deadline);
        isAnswered = true;
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
