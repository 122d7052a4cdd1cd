/** The other end of a connection between two processes of one gateway: either side asks, answers and notifies. */
import type { Socket } from 'node:net';
import { ownEvents } from '../platform/fault-owner.ts';
import { createFrameReader, FrameTooLong, writeFrame } from './frames.ts';
import { maxHelloBytes, type PeerLimits, peerLimits } from './limits.ts';
import { errorFromWire, type Message, parseMessage } from './messages.ts';
import { createOutbox } from './outbox.ts';
import { createRequests, type RequestOptions } from './requests.ts';
import { createServing, type Handlers, type OnFault } from './serving.ts';

export interface Peer {
  /**
   * What the other side's handler of `method` returned. Throws the GatewayError that it threw, process-silent where no
   * answer comes in time or the connection ends, and Error for a fault of the other side.
   */
  request<Result = unknown>(method: string, params?: unknown, options?: RequestOptions): Promise<Result>;
  /** In the order of requests, and without an answer. Lost when the connection is. Throws a RangeError above 4 MiB. */
  notify(method: string, params?: unknown): void;
  /** Resolves when the other side has taken most of what was sent: for whoever has much to say. */
  drained(): Promise<void>;
  /** Requests that wait for their turn fail as not begun, so that another process can be asked; but those that go on with something. */
  giveBack(): void;
  /** Keeps an orderly end of the connection waiting, until the returned function is called. */
  hold(): () => void;
  /** Resolves when all that the other side asked for is answered, and nothing is held. */
  idle(): Promise<void>;
  /** Undefined, or why the connection is over. */
  readonly closedFor: string | undefined;
  /** Called once; at once where it is closed already. */
  onClose(listener: (reason: string) => void): void;
  /** Sends what waits to be sent, then ends the connection. */
  end(reason: string): void;
  /** At once. */
  close(reason: string): void;
}

export interface PeerOptions {
  /** Asked at each request. Undefined: nothing has been agreed yet, and frames may be 64 KiB. */
  readonly handlers: () => Handlers;
  readonly isGreeted: () => boolean;
  readonly onFault: OnFault;
  readonly limits?: Partial<PeerLimits>;
}

/** Takes the socket over. Whoever breaks the protocol is closed. */
export function createPeer(socket: Socket, options: PeerOptions): Peer {
  const limits: PeerLimits = { ...peerLimits, ...options.limits };
  const closing = new Set<(reason: string) => void>();
  let closedFor: string | undefined;
  let endReason: string | undefined;
  const close = (why: string) => {
    if (closedFor !== undefined) return;
    const reason = endReason ?? why;
    closedFor = reason;
    socket.destroy();
    requests.fail(reason);
    serving.stop();
    for (const listener of closing) listener(reason);
  };
  const outbox = createOutbox(socket, limits, () => close('it does not take what it is sent'));
  const requests = createRequests(limits, outbox.send);
  const serving = createServing({ ...options, limits, send: outbox.send });

  const receive = (text: string, bytes: number) => {
    const message = closedFor === undefined ? parseMessage(text) : undefined;
    if (!message || !isTaken[message.kind](message as never, bytes)) close('it broke the protocol');
  };
  const isTaken: { [K in Message['kind']]: (message: Of<K>, bytes: number) => boolean } = {
    request: (message, bytes) => serving.answer(message, bytes),
    notification({ method, params }) {
      serving.take(method, params);
      return true;
    },
    answer: ({ id, result }) => requests.settle(id, ({ resolve }) => resolve(result)),
    failure: ({ id, error }) =>
      requests.settle(id, ({ reject }) => reject(errorFromWire(error, 'a request'))),
  };
  const maxBytes = () => {
    if (!options.isGreeted()) return maxHelloBytes;
    return requests.expectsLargeAnswer() ? limits.maxLargeAnswerBytes : limits.maxFrameBytes;
  };
  listen(socket, createFrameReader(maxBytes, receive), close);

  return {
    request: (method, params, how) => requests.make(method, params, how) as Promise<never>,
    notify(method, params) {
      const frame = writeFrame({ method, params });
      if (frame.length > limits.maxFrameBytes) throw new RangeError(`a notification "${method}" is too long`);
      outbox.send(frame);
    },
    drained: outbox.drained,
    giveBack: () => requests.giveBack('it is about to leave'),
    hold: serving.hold,
    idle: serving.idle,
    get closedFor() {
      return closedFor;
    },
    onClose(listener) {
      if (closedFor === undefined) closing.add(listener);
      else listener(closedFor);
    },
    end(reason) {
      endReason ??= reason;
      outbox.end();
      setTimeout(() => close(reason), endWithinMs).unref();
    },
    close,
  };
}

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** For what is left to send, and the other side's own end. */
const endWithinMs = 2_000;

function listen(socket: Socket, read: (chunk: Buffer) => void, close: (reason: string) => void): void {
  // Several connections of people share it: it ends as if the other process had gone.
  ownEvents(socket, { end: () => close('an error of this process') });
  socket.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      if (!(error instanceof FrameTooLong)) throw error;
      close('it sent more than it may');
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => close(`the connection failed: ${error.code}`));
  socket.on('close', () => close('it is gone'));
}
