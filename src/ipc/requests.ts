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
  const underWay = createUnderWay(limits);
  const waiting = createWaiting();
  let lastId = 0;
  let failedFor: string | undefined;

  function begin(id: number, request: Outstanding, frame: Buffer): void {
    underWay.add(id, request);
    send(frame);
  }

  return {
    make(method, params, { deadlineMs = 30_000, largeAnswer = false, goesOn = false } = {}) {
      if (failedFor !== undefined) return Promise.reject(notBegun(failedFor));
      if (waiting.size() >= limits.maxWaiting) {
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
          waiting.remove(id);
          reject(processSilent(`none within ${Math.round(deadlineMs) / 1000} s`));
        }, deadlineMs);
        const request = { bytes: frame.length, large: largeAnswer, goesOn, timer, resolve, reject };
        if (waiting.size() === 0 && underWay.hasRoom(frame.length)) begin(id, request, frame);
        else waiting.add(id, request, frame);
      });
    },
    settle(id, how) {
      const request = underWay.take(id);
      if (!request) return false;
      clearTimeout(request.timer);
      how(request);
      if (waiting.size() > 0) waiting.giveTurns(underWay.hasRoom, begin);
      return true;
    },
    expectsLargeAnswer: underWay.expectsLargeAnswer,
    giveBack: (reason) => waiting.giveBack(reason, ({ goesOn }) => !goesOn || failedFor !== undefined),
    fail(reason) {
      failedFor = reason;
      waiting.giveBack(reason, () => true);
      for (const { timer, reject } of underWay.takeAll()) {
        clearTimeout(timer);
        reject(processSilent(reason));
      }
    },
  };
}

/** One whose deadline has passed stays: until it is answered, the other side counts it, too. */
function createUnderWay({ maxUnderWay, maxUnderWayBytes }: PeerLimits) {
  const requests = new Map<number, Outstanding>();
  let bytesUnderWay = 0;
  let large = 0;
  return {
    hasRoom: (bytes: number) =>
      requests.size < maxUnderWay && (requests.size === 0 || bytesUnderWay + bytes <= maxUnderWayBytes),
    add(id: number, request: Outstanding): void {
      requests.set(id, request);
      bytesUnderWay += request.bytes;
      if (request.large) large += 1;
    },
    take(id: number): Outstanding | undefined {
      const request = requests.get(id);
      if (!request) return undefined;
      requests.delete(id);
      bytesUnderWay -= request.bytes;
      if (request.large) large -= 1;
      return request;
    },
    takeAll(): readonly Outstanding[] {
      const all = [...requests.values()];
      requests.clear();
      return all;
    },
    expectsLargeAnswer: () => large > 0,
  };
}

/** Those that wait for their turn. */
function createWaiting() {
  const waiting = new Map<number, { readonly request: Outstanding; readonly frame: Buffer }>();
  return {
    size: () => waiting.size,
    add: (id: number, request: Outstanding, frame: Buffer) => void waiting.set(id, { request, frame }),
    remove: (id: number) => void waiting.delete(id),
    giveTurns(
      hasRoom: (bytes: number) => boolean,
      begin: (id: number, request: Outstanding, frame: Buffer) => void,
    ): void {
      for (const [id, { request, frame }] of waiting) {
        if (!hasRoom(request.bytes)) return;
        waiting.delete(id);
        begin(id, request, frame);
      }
    },
    giveBack(reason: string, isMeant: (request: Outstanding) => boolean): void {
      for (const [id, { request }] of waiting) {
        if (!isMeant(request)) continue;
        waiting.delete(id);
        clearTimeout(request.timer);
        request.reject(notBegun(reason));
      }
    },
  };
}
