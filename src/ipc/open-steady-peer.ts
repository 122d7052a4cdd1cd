/**
 * What a worker asks its supervisor by, whichever process that is at the moment: where one goes, orderly or not, requests
 * wait until its successor listens at the same path.
 */
import { isGatewayError } from '../errors.ts';
import type { ConnectedPeer } from './connect-peer.ts';
import type { Peer } from './peer.ts';
import { processSilent, type RequestOptions } from './requests.ts';
import type { Handler } from './serving.ts';
import { type StayConnectedOptions, stayConnected } from './stay-connected.ts';

export interface SteadyRequestOptions extends RequestOptions {
  /**
   * Asked again where the connection was lost before the answer came: for what changes nothing, or nothing if it is done
   * twice. Otherwise such a request fails with process-silent, and may have been done.
   */
  readonly repeatable?: boolean;
}

export interface SteadyPeer {
  /** As `Peer.request`; the deadline (30 s) covers the time without a supervisor. */
  request<Result = unknown>(
    method: string,
    params?: unknown,
    options?: SteadyRequestOptions,
  ): Promise<Result>;
  /**
   * In the order of requests. Waits while there is no supervisor, 10,000 at most; false: it was thrown away. What was sent to
   * one that crashed may be lost.
   */
  notify(method: string, params?: unknown): boolean;
  /** The connection of the moment, for requests that belong together. Throws process-silent after `deadlineMs` without one. */
  connected(deadlineMs: number): Promise<Peer>;
  /**
   * Called on each connection before anything else is sent on it, and at once where there is one. What the listener sends
   * first, the supervisor reads first.
   */
  onConnect(listener: (peer: Peer, protocol: number) => void): void;
  /** What the supervisor may ask of this process, beside what it may already. */
  serve(handlers: ReadonlyMap<string, Handler>): void;
  /** For good: what waits fails. */
  close(): void;
}

const maxWaiting = 10_000;

/** Connects in the background, for as long as it is not closed. */
export function openSteadyPeer(options: Omit<StayConnectedOptions, 'handlers'>): SteadyPeer {
  let current: ConnectedPeer | undefined;
  const listeners: ((peer: Peer, protocol: number) => void)[] = [];
  const waiters = createWaiters();
  let notifications: { readonly method: string; readonly params: unknown }[] = [];
  const closing = new AbortController();
  const handlers = new Map<string, Handler>();
  const call = (listener: (peer: Peer, protocol: number) => void, { peer, protocol }: ConnectedPeer) => {
    try {
      listener(peer, protocol);
    } catch (error) {
      options.onFault(error, 'a listener of the connection');
    }
  };
  const onCurrent = (now: ConnectedPeer | undefined) => {
    current = now;
    if (!now) return;
    for (const listener of listeners) call(listener, now);
    for (const { method, params } of notifications) now.peer.notify(method, params);
    notifications = [];
    waiters.wake();
  };
  void stayConnected({ ...options, handlers }, onCurrent, closing.signal);

  async function connected(deadlineMs: number): Promise<Peer> {
    const until = performance.now() + deadlineMs;
    // It may have gone between the moment it was there and this one.
    while (!current) await waiters.wait(until - performance.now());
    return current.peer;
  }

  return {
    request<Result>(method: string, params?: unknown, how?: SteadyRequestOptions): Promise<Result> {
      return ask<Result>((deadlineMs) => current?.peer ?? connected(deadlineMs), method, params, how);
    },

    notify(method, params) {
      if (current) current.peer.notify(method, params);
      else if (notifications.length >= maxWaiting || closing.signal.aborted) return false;
      else notifications.push({ method, params });
      return true;
    },

    connected,

    onConnect(listener) {
      listeners.push(listener);
      if (current) call(listener, current);
    },

    serve(more) {
      for (const [method, handler] of more) handlers.set(method, handler);
    },

    close() {
      closing.abort();
      waiters.fail('this process is about to end');
    },
  };
}

/** Asks again where what was asked has not been begun, or may be done twice. */
async function ask<Result>(
  connect: (deadlineMs: number) => Peer | Promise<Peer>,
  method: string,
  params: unknown,
  { deadlineMs = 30_000, largeAnswer = false, repeatable = false }: SteadyRequestOptions = {},
): Promise<Result> {
  const until = performance.now() + deadlineMs;
  const leftMs = () => until - performance.now();
  for (;;) {
    const connected = connect(leftMs());
    const peer = connected instanceof Promise ? await connected : connected;
    try {
      return await peer.request<Result>(method, params, { deadlineMs: leftMs(), largeAnswer });
    } catch (error) {
      if (!isGatewayError(error, 'process-silent')) throw error;
      const isLost = peer.closedFor !== undefined && repeatable;
      if (error.params.notBegun !== true && !isLost) throw error;
    }
  }
}

/** Those who wait for a connection. */
function createWaiters() {
  const waiting = new Set<PromiseWithResolvers<void>>();
  let failedFor: string | undefined;
  return {
    async wait(withinMs: number): Promise<void> {
      if (failedFor !== undefined) throw processSilent(failedFor);
      if (waiting.size >= maxWaiting) throw processSilent('too many wait for it');
      const waiter = Promise.withResolvers<void>();
      waiting.add(waiter);
      const timer = setTimeout(() => waiter.reject(processSilent('there was none in time')), withinMs);
      await waiter.promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(waiter);
      });
    },
    wake(): void {
      for (const { resolve } of waiting) resolve();
    },
    fail(reason: string): void {
      failedFor = reason;
      for (const { reject } of waiting) reject(processSilent(reason));
    },
  };
}
