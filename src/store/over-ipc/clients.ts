/**
 * The processes that read through caches of their own, and must know of a change before it is acknowledged to anybody: each
 * has said that it does, or is gone.
 */
import { movedReason } from '../../ipc/leave.ts';
import type { Peer } from '../../ipc/peer.ts';
import { randomId } from '../../platform/ids.ts';
import type { Change } from '../store.ts';
import { type Changed, changedMethod, type Heard } from './protocol.ts';

type Transactions = readonly (readonly Change[])[];

export interface Clients {
  /** From now on it is told of changes; first of those since `heard`, or that they are more than is known. */
  attach(peer: Peer, heard: Heard | undefined): void;
  /** In the order of commits. */
  tell(changes: readonly Change[]): void;
  /** Resolves when every client knows what has been told so far. */
  allKnow(): Promise<unknown>;
  /** `allKnow` waits for it, too. */
  waitFor(promise: Promise<unknown>): void;
  /** It says nothing, and nobody needs to tell it any more: `allKnow` waits until its process has ended. */
  giveUp(peer: Peer, reason: string): void;
  heard(): Heard;
}

export interface ClientsOptions {
  readonly silenceMs: number;
  /** Ends the process of a client. Resolves when it reads nothing any more. */
  readonly endClient: (peer: Peer, reason: string) => Promise<void>;
  readonly onFault: (error: unknown) => void;
  /** What the clients of the server before this one have heard, and that there was no change since. */
  readonly follows: Heard | undefined;
}

/** Transactions that are told to somebody who comes back; to whoever missed more, that everything may have changed. */
const maxKept = 1_000;

export function createClients({ silenceMs, endClient, onFault, follows }: ClientsOptions): Clients {
  const history = createHistory(follows);
  const clients = new Set<Peer>();
  let gathered: (readonly Change[])[] = [];
  let known: Promise<unknown> = Promise.resolve();
  const waitFor = (promise: Promise<unknown>) => {
    known = Promise.all([known, promise]);
  };

  const ending = new WeakMap<Peer, Promise<void>>();

  /** Resolves when its process has ended. */
  function giveUp(peer: Peer, reason: string): Promise<void> {
    const known = ending.get(peer);
    if (known) return known;
    clients.delete(peer);
    const ended = endClient(peer, reason).catch(onFault);
    ending.set(peer, ended);
    waitFor(ended);
    peer.close(reason);
    return ended;
  }

  async function send(peer: Peer, changed: Changed): Promise<void> {
    const release = peer.hold();
    try {
      await peer.request(changedMethod, changed, { deadlineMs: silenceMs });
    } catch (error) {
      await giveUp(peer, `it did not take a change: ${(error as Error).message}`);
    } finally {
      release();
    }
  }

  /** All that became visible in this turn, at once. */
  function tellGathered(): void {
    const transactions = gathered;
    gathered = [];
    history.add(transactions);
    const changed = { ...history.heard(), transactions };
    waitFor(Promise.all([...clients].map((peer) => send(peer, changed))));
  }

  return {
    attach(peer, heard) {
      if (clients.has(peer)) return;
      clients.add(peer);
      // What it said goodbye to in order, it has heard to the end.
      peer.onClose((reason) => {
        if (reason === movedReason) clients.delete(peer);
        else void giveUp(peer, reason);
      });
      const transactions = history.since(heard);
      waitFor(send(peer, { ...history.heard(), ...(transactions ? { transactions } : {}) }));
    },
    tell(changes) {
      if (gathered.push(changes) === 1) queueMicrotask(tellGathered);
    },
    allKnow: () => known,
    waitFor,
    giveUp,
    heard: history.heard,
  };
}

/** What was told, for those who missed some of it. */
function createHistory(follows: Heard | undefined) {
  const server = randomId();
  let count = 0;
  let kept: (readonly Change[])[] = [];
  return {
    heard: (): Heard => ({ server, count }),
    add(transactions: Transactions): void {
      count += transactions.length;
      kept = [...kept, ...transactions].slice(-maxKept);
    },
    /** Undefined: more than is known. */
    since(heard: Heard | undefined): Transactions | undefined {
      if (!heard) return [];
      const isFollowed = heard.server === follows?.server && heard.count === follows.count;
      const missed = count - (heard.server === server ? heard.count : 0);
      if (!(isFollowed || heard.server === server) || missed < 0 || missed > kept.length) return undefined;
      return missed === 0 ? [] : kept.slice(-missed);
    },
  };
}
