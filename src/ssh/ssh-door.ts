/**
 * Door 1: the ssh2 server, and every connection being served. Sockets are given to it, by an entrance here or in another
 * process. A jump's inner connection is served by the same function as a socket.
 */
import type { Socket } from 'node:net';
import ssh2, { type Connection, type ParsedKey, type ServerConfig } from 'ssh2';
import type { Meter } from '../metrics/meter.ts';
import { inNameOf, ownEvents } from '../platform/fault-owner.ts';
import type { ConnectionEnds } from '../proxies/connection-ends.ts';
import { algorithms, extInfo, offerTo } from './algorithms.ts';
import type { SshArrival } from './arrival.ts';
import { outsidePool } from './buffer-pool.ts';
import type { DoorContext, OuterConnection, Transport } from './door-context.ts';
import { certifiedHostKeys } from './host-certificates.ts';
import type { HostKey } from './host-keys.ts';
import { assertKnownSsh2 } from './known-ssh2.ts';
import { readyToSign } from './ready-to-sign.ts';
import { ServedConnection } from './served-connection.ts';
import { prepareTransport, replaceOffer, transportOf } from './ssh2-internals.ts';

export interface SshDoorOptions extends Omit<DoorContext, 'serveInner'> {
  readonly version: string;
  readonly meter: Meter;
}

export interface SshDoor {
  /** Never throws: a fault of ours is the connection's. */
  serve(arrival: SshArrival): void;
  /** New connections use the host keys that are served from now on; those that are open stay as they are. */
  renewHostKeys(): void;
  /** Nobody is let in any more: each connection is closed as soon as nothing runs in it. */
  drain(): void;
  /** No connection is open. */
  readonly isEmpty: boolean;
  /** Ends every connection, which is told `reason`, forcibly after `graceMs`. */
  close(graceMs: number, reason: string): Promise<void>;
}

const leaveIntervalMs = 50;

/** Throws a sentence for an ssh2 that it does not know. */
export function createSshDoor(options: SshDoorOptions): SshDoor {
  assertKnownSsh2();
  const { meter } = options;
  const served = new Map<Transport, ServedConnection>();

  const connect = (
    transport: Transport,
    from: { outer?: OuterConnection; ends?: ConnectionEnds },
  ): ServedConnection => {
    const connection = new ServedConnection(context, transport, from);
    ownEvents(transport, connection);
    served.set(transport, connection);
    const kind = from.outer ? 'jump' : 'ssh';
    meter.connectionOpened(kind);
    transport.once('close', () => {
      served.delete(transport);
      meter.connectionClosed(kind);
      connection.transportClosed();
    });
    outsidePool(() => server.injectSocket(transport as Socket));
    return connection;
  };
  const makeServer = () => createServer(options, (client) => served.get(transportOf(client))?.attach(client));
  let server = makeServer();
  const context: DoorContext = {
    ...options,
    serveInner: (transport, outer) => connect(transport, { outer }),
  };
  let leaving: NodeJS.Timeout | undefined;
  return {
    serve({ socket, ends, head, startup }) {
      inNameOf({ end: () => socket.destroy() }, () => {
        // ssh2 lets the socket flow when it listens, and not before.
        if (head.length > 0) socket.unshift(head);
        const connection = connect(socket, { ends });
        connection.onAuthenticated = startup.authenticated;
        connection.onLeft = startup.left;
      });
    },
    renewHostKeys() {
      server = makeServer();
    },
    drain() {
      const leave = () => {
        for (const connection of served.values()) connection.leave('the gateway is about to stop');
      };
      leave();
      leaving = setInterval(leave, leaveIntervalMs);
    },
    get isEmpty() {
      return served.size === 0;
    },
    async close(graceMs, reason) {
      clearInterval(leaving);
      for (const connection of served.values()) connection.close(reason);
      const deadline = setTimeout(() => {
        for (const connection of served.values()) connection.destroy();
      }, graceMs);
      while (served.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      clearTimeout(deadline);
    },
  };
}

/** ssh2's server, which listens nowhere: sockets are given to it. `attach` runs in the tick in which a client is announced. */
function createServer(options: SshDoorOptions, attach: (client: Connection) => void): ssh2.Server {
  const { config } = options;
  const server = new ssh2.Server({
    hostKeys: ssh2HostKeys(options.hostKeys().serving),
    algorithms,
    // A version that begins with OpenSSH makes clients send eow and no-more-sessions (library-traps 13).
    ident: `OpenSSH_Postern_${options.version}`,
    keepaliveInterval: config.keepaliveIntervalMs,
    keepaliveCountMax: config.keepaliveCountMax,
  });
  const ourExtInfo = extInfo();
  // Emitted when the client's version line was read, in the tick of its data (library-traps 12).
  server.on('connection', (client, info) => {
    replaceOffer(client, (offer) => offerTo(info.header.versions.software, offer));
    prepareTransport(client, ourExtInfo);
    attach(client);
  });
  return server;
}

/** Certificates first, as sshd has it: a client that knows the authority need not know the key. */
function ssh2HostKeys(hostKeys: readonly HostKey[]): NonNullable<ServerConfig['hostKeys']> {
  const keys = hostKeys.map(({ privateKey, certificate }) => {
    return { key: readyToSign(ssh2.utils.parseKey(privateKey) as ParsedKey), certificate };
  });
  const certified = keys.flatMap(({ key, certificate }) =>
    certificate ? certifiedHostKeys(key, certificate) : [],
  );
  // ssh2 takes a parsed key for the text of one; its types do not say so.
  return [...certified, ...keys.map(({ key }) => key)].map((key) => ({
    key: key as unknown as Buffer,
    passphrase: '',
  }));
}
