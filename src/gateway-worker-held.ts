/** The connections that a worker has, of which its supervisor is told. */

import type { Socket } from 'node:net';
import type { Serving } from './gateway-doors.ts';
import type { SteadyPeer } from './ipc/open-steady-peer.ts';
import { readClient } from './ssh/read-client.ts';
import type { PassedHttp, PassedSsh } from './workers/messages.ts';
import { type HeldConnection, heldNews, type LeftNews, news } from './workers/orders.ts';

export interface HeldConnections {
  /** `socket` is undefined where it was closed on its way. */
  ssh(passed: PassedSsh, socket: Socket | undefined): void;
  http(passed: PassedHttp, socket: Socket | undefined): void;
  isEmpty(): boolean;
}

/** Serves them by `serving`; `onLeft` is called when one has ended. */
export function createHeldConnections(
  supervisor: SteadyPeer,
  serving: Pick<Serving, 'ssh' | 'http'>,
  onLeft: () => void,
): HeldConnections {
  const open = new Map<string, HeldConnection>();
  supervisor.onConnect((peer) => {
    for (const held of heldNews([...open.values()])) peer.notify(news.held, held);
  });
  const left = (gone: LeftNews) => {
    supervisor.notify(news.left, gone);
    open.delete(gone.connection);
    onLeft();
  };
  return {
    ssh({ connection, ends, head }, socket) {
      if (!socket) return left({ connection });
      const { address: source } = ends.source;
      const held = { connection, kind: 'ssh', source } as const;
      open.set(connection, { ...held, isAuthenticated: false });
      const startup = {
        authenticated() {
          if (open.has(connection)) open.set(connection, { ...held, isAuthenticated: true });
          supervisor.notify(news.authenticated, { connection });
        },
        left: (offence?: LeftNews['offence']) =>
          left({ connection, ...(offence ? { offence, source } : {}) }),
      };
      serving.ssh({ socket: readClient(socket), ends, head: Buffer.from(head, 'base64'), startup });
    },
    http({ connection }, socket) {
      if (!socket) return left({ connection });
      const { remoteAddress: source = '' } = socket;
      open.set(connection, { connection, kind: 'http', source, isAuthenticated: true });
      socket.once('close', () => left({ connection }));
      serving.http(socket, () => {});
    },
    isEmpty: () => open.size === 0,
  };
}
