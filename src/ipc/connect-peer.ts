/** Connects to another process of the gateway, and says hello. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { helloMethod, type Versions, versions } from './hello.ts';
import type { PeerLimits } from './limits.ts';
import { createPeer, type Peer } from './peer.ts';
import type { Handlers, OnFault } from './serving.ts';

export interface ConnectOptions {
  readonly path: string;
  /** What is said of this process: plain data. */
  readonly who: unknown;
  /** What the other side may ask of it. */
  readonly handlers: (peer: Peer) => Handlers;
  readonly onFault: OnFault;
  readonly versions?: Versions;
  readonly limits?: Partial<PeerLimits>;
}

export interface ConnectedPeer {
  readonly peer: Peer;
  /** The version that was agreed on. */
  readonly protocol: number;
}

const helloWithinMs = 5_000;

/**
 * Throws process-refused where the other side will have nothing to do with this process, process-silent where it says
 * nothing, and what the socket throws where nobody listens.
 */
export async function connectPeer(options: ConnectOptions): Promise<ConnectedPeer> {
  const socket = connect(options.path);
  await once(socket, 'connect');
  const peer: Peer = createPeer(socket, { ...options, handlers: () => handlers, isGreeted: () => true });
  const handlers = options.handlers(peer);
  try {
    const { newest, oldest } = options.versions ?? versions;
    const hello = { newest, oldest, who: options.who };
    const { protocol } = await peer.request<{ protocol: number }>(helloMethod, hello, {
      deadlineMs: helloWithinMs,
    });
    return { peer, protocol };
  } catch (error) {
    peer.close('it was not agreed on');
    throw error;
  }
}
