/** Requests of the other side: who answers them, and how many may be under way. */
import { writeFrame } from './frames.ts';
import type { PeerLimits } from './limits.ts';
import { type RequestMessage, type WireError, wireError } from './messages.ts';

/**
 * Answers a request, or takes a notification, with what it throws or returns; `params` is what a process of perhaps another
 * version sent. A GatewayError reaches whoever asked; of any other error they learn no more than that there was one.
 */
export type Handler = (params: unknown) => unknown;

/** By method. What is not in it is answered with an error. */
export type Handlers = Pick<ReadonlyMap<string, Handler>, 'get'>;

/** An error that is no GatewayError, for the log. */
export type OnFault = (error: unknown, method: string) => void;

export interface Serving {
  /** False: it is one more than there may be. */
  answer(request: RequestMessage, bytes: number): boolean;
  take(method: string, params: unknown): void;
  /** Something that was begun by a request goes on after its answer, until the returned function is called. */
  hold(): () => void;
  /** Resolves when every request is answered and nothing is held. */
  idle(): Promise<void>;
  /** Nobody waits for answers any more. */
  stop(): void;
}

export interface ServingOptions {
  readonly limits: PeerLimits;
  readonly handlers: () => Handlers;
  readonly send: (frame: Buffer) => void;
  readonly onFault: OnFault;
}

export function createServing({ limits, handlers, send, onFault }: ServingOptions): Serving {
  const underWay = new Map<number, { readonly bytes: number; readonly maxAnswerBytes: number }>();
  let underWayBytes = 0;
  const idling = createIdling(() => underWay.size > 0);

  function done(id: number, answer: { result?: unknown; error?: WireError }): void {
    const request = underWay.get(id);
    if (!request) return;
    underWay.delete(id);
    underWayBytes -= request.bytes;
    send(frameOf(id, answer, request.maxAnswerBytes));
    idling.wake();
  }

  return {
    answer({ id, method, params, large }, bytes) {
      const tooMany = underWay.size >= limits.maxUnderWay;
      const tooLarge = underWay.size > 0 && underWayBytes + bytes > limits.maxUnderWayBytes + slackBytes;
      if (tooMany || tooLarge || underWay.has(id)) return false;
      underWay.set(id, { bytes, maxAnswerBytes: large ? limits.maxLargeAnswerBytes : limits.maxFrameBytes });
      underWayBytes += bytes;
      const handler = handlers().get(method);
      if (!handler) done(id, { error: { message: 'it knows no such method' } });
      else {
        const answered = (result: unknown) => done(id, { result });
        const failed = (error: unknown) => {
          const wire = wireError(error);
          done(id, { error: wire });
          if (wire.code === undefined) onFault(error, method);
        };
        run(handler, params, answered, failed);
      }
      return true;
    },
    take(method, params) {
      const handler = handlers().get(method);
      const failed = (error: unknown) => onFault(error, method);
      if (handler) run(handler, params, () => {}, failed);
    },
    hold: idling.hold,
    idle: idling.idle,
    stop() {
      underWay.clear();
      idling.stop();
    },
  };
}

/** At once, where nothing has to be waited for. */
function run(
  handler: Handler,
  params: unknown,
  onResult: (result: unknown) => void,
  onError: (error: unknown) => void,
): void {
  try {
    const result = handler(params);
    if (isThenable(result)) result.then(onResult, onError);
    else onResult(result);
  } catch (error) {
    onError(error);
  }
}

/** Those who wait until there is nothing to do, and what is held though it is answered. */
function createIdling(isBusy: () => boolean) {
  let held = 0;
  let idlers: (() => void)[] = [];
  const wake = () => {
    if (idlers.length === 0 || isBusy() || held > 0) return;
    for (const each of idlers.splice(0)) each();
  };
  return {
    wake,
    hold() {
      held += 1;
      let released = false;
      return () => {
        if (released) return;
        released = true;
        held -= 1;
        wake();
      };
    },
    idle: () =>
      new Promise<void>((resolve) => {
        idlers.push(resolve);
        wake();
      }),
    stop() {
      held = 0;
      wake();
      idlers = [];
    },
  };
}

/** The sender counts heads of frames, too. */
const slackBytes = 64 * 1024;

const isThenable = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function';

/** A result that is too long, or that JSON has no form for, is a fault of whoever made it, and an answer nevertheless. */
function frameOf(id: number, answer: { result?: unknown; error?: WireError }, maxBytes: number): Buffer {
  try {
    const frame = writeFrame({ id, ...answer });
    if (frame.length <= maxBytes) return frame;
  } catch {
    // Said below.
  }
  return writeFrame({ id, error: { message: 'an answer that cannot be sent' } });
}
