import type { Address } from '../sessions/session.ts';

/** Both ends of a connection as its client sees it. */
export interface ConnectionEnds {
  readonly source: Address;
  readonly local: Address;
}

/** What sockets, and channels that stand for one, know of themselves. */
export interface KnowsEnds {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

export const ownEnds = (socket: KnowsEnds): ConnectionEnds => ({
  source: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
  local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
});
