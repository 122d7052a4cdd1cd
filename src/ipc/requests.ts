/** Requests that this side made: their answers, deadlines and turns. */
import { GatewayError } from '../errors.ts';
import { writeFrame } from './frames.ts';
import type { PeerLimits } from './limits.ts';

export interface RequestOptions {
  /** Until the answer; 30 s. What was asked may be done nevertheless. */
  readonly deadlineMs?: number;
  /** The answer may be longer than a frame usually is. */
  readonly largeAnswer?: boolean;
  /** Goes on with something that the other side has begun, so it makes sense nowhere else. */
  readonly goesOn?: boolean;
}

interface Outstanding {
  readonly bytes: number;
  readonly large: boolean;
  readonly goesOn: boolean;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface Requests {
  make(method: string, params: unknown, options?: RequestOptions): Promise<unknown>;
  /** False: nobody asked for that. */
  settle(id: number, how: (request: Pick<Outstanding, 'resolve' | 'reject'>) => void): boolean;
  expectsLargeAnswer(): boolean;
  /** Those that wait for their turn fail as not begun, but such as go on with something. */
  giveBack(reason: string): void;
  /** All that are not answered fail, and so does each to come. */
  fail(reason: string): void;
}

export const processSilent = (reason: string) => new GatewayError('process-silent', { reason });
const notBegun = (reason: string) => new GatewayError('process-silent', { reason, notBegun: true });

export function createRequests(limits: PeerLimits, send: (frame: Buffer) => void): Requests {
  /** One whose deadline has passed stays: until it is answered, the other side counts it, too. */
  const underWay = new Map<number, Outstanding>();
  const waiting = new Map<number, { request: Outstanding; frame: Buffer }>();
  let underWayBytes = 0;
  let large = 0;
  let lastId = 0;
  let failedFor: string | undefined;

  const hasRoom = (bytes: number) =>
    underWay.size < limits.maxUnderWay &&
    (underWay.size === 0 || underWayBytes + bytes <= limits.maxUnderWayBytes);

  function begin(id: number, request: Outstanding, frame: Buffer): void {
    underWay.set(id, request);
    underWayBytes += request.bytes;
    if (request.large) large += 1;
    send(frame);
  }

  function beginWaiting(): void {
    for (const [id, { request, frame }] of waiting) {
      if (!hasRoom(request.bytes)) return;
      waiting.delete(id);
      begin(id, request, frame);
    }
  }

  function giveBack(reason: string): void {
    for (const [id, { request }] of waiting) {
      if (request.goesOn && failedFor === undefined) continue;
      waiting.delete(id);
      clearTimeout(request.timer);
      request.reject(notBegun(reason));
    }
  }

  return {
    make(method, params, { deadlineMs = 30_000, largeAnswer = false, goesOn = false } = {}) {
      if (failedFor !== undefined) return Promise.reject(notBegun(failedFor));
      if (waiting.size >= limits.maxWaiting) {
        return Promise.reject(processSilent('too much is asked of it at once'));
      }
      lastId += 1;
      const id = lastId;
      const frame = writeFrame({ id, method, params, large: largeAnswer ? true : undefined });
      if (frame.length > limits.maxFrameBytes) {
        return Promise.reject(new RangeError(`a request "${method}" of ${frame.length} bytes is too long`));
      }
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(processSilent(`none within ${Math.round(deadlineMs) / 1000} s`));
        }, deadlineMs);
        const request = { bytes: frame.length, large: largeAnswer, goesOn, timer, resolve, reject };
        if (waiting.size === 0 && hasRoom(frame.length)) begin(id, request, frame);
        else waiting.set(id, { request, frame });
      });
    },

    settle(id, how) {
      const request = underWay.get(id);
      if (!request) return false;
      underWay.delete(id);
      underWayBytes -= request.bytes;
      if (request.large) large -= 1;
      clearTimeout(request.timer);
      how(request);
      if (waiting.size > 0) beginWaiting();
      return true;
    },

    expectsLargeAnswer: () => large > 0,

    giveBack,

    fail(reason) {
      failedFor = reason;
      giveBack(reason);
      const requests = [...underWay.values()];
      underWay.clear();
      for (const { timer, reject } of requests) {
        clearTimeout(timer);
        reject(processSilent(reason));
      }
    },
  };
}
