/**
 * Door 1: the listener, the ssh2 server behind it, and every connection being served. A jump's inner
 * connection comes in through the same `serve` as a socket does.
 */
import type { Socket } from 'node:net';
import ssh2, { type Connection, type ParsedKey, type ServerConfig } from 'ssh2';
import type { Penalties } from '../auth/penalties.ts';
import type { SharedAddresses } from '../auth/shared-addresses.ts';
import { liveAddressBlocks } from '../config/address-blocks.ts';
import type { Meter } from '../metrics/meter.ts';
import { inNameOf, ownEvents } from '../platform/fault-owner.ts';
import { createProxiedAcceptance } from '../proxies/accept-proxied.ts';
import type { ConnectionEnds } from '../proxies/connection-ends.ts';
import type { Address } from '../sessions/session.ts';
import { createAdmission } from './admission.ts';
import { algorithms, extInfo, offerTo } from './algorithms.ts';
import { outsidePool } from './buffer-pool.ts';
import type { DoorContext, OuterConnection, Transport } from './door-context.ts';
import { certifiedHostKeys } from './host-certificates.ts';
import type { HostKey } from './host-keys.ts';
import { assertKnownSsh2 } from './known-ssh2.ts';
import { openListener } from './listener.ts';
import { ServedConnection } from './served-connection.ts';
import { prepareTransport, replaceOffer, transportOf } from './ssh2-internals.ts';

export interface SshDoorOptions extends Omit<DoorContext, 'serveInner'> {
  readonly version: string;
  /** File descriptor of a socket that listens already, in place of config's `sshListen`. */
  readonly inheritedSocket?: number | undefined;
  readonly meter: Meter;
  readonly penalties: Penalties;
  readonly shared: SharedAddresses;
}

export interface SshDoor {
  readonly address: Address;
  /** New connections use the host keys that are served from now on; those that are open stay as they are. */
  renewHostKeys(): void;
  /** Accepts nobody any more; each connection is closed as soon as nothing runs in it. */
  drain(): void;
  /** No connection is open. */
  readonly isEmpty: boolean;
  /** Stops accepting and ends every connection, which is told `reason`, forcibly after `graceMs`. */
  close(graceMs: number, reason: string): Promise<void>;
}

const leaveIntervalMs = 50;

/** Listens on config's `sshListen`; throws a sentence when it cannot. */
export async function openSshDoor(options: SshDoorOptions): Promise<SshDoor> {
  assertKnownSsh2();
  const { config, meter } = options;
  const served = new Map<Transport, ServedConnection>();

  const serve = (
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
  const context: DoorContext = { ...options, serveInner: (transport, outer) => serve(transport, { outer }) };
  let leaving: NodeJS.Timeout | undefined;
  const admission = createAdmission(options);
  const proxied = createProxiedAcceptance(liveAddressBlocks(() => config.proxyProtocolFrom));
  const admit = (socket: Socket) =>
    // ssh2 lets the socket flow when it listens, and not before.
    proxied.accept(socket, (ends) => {
      const { address } = ends.source;
      const startup = admission.admit(socket, address);
      if (!startup) return;
      const connection = serve(socket, { ends });
      connection.onAuthenticated = () => startup.authenticated();
      connection.onLeftUnknown = (offence) => offence && options.penalties.penalise(address, offence);
    });
  const onSocket = (socket: Socket) => {
    // Until it is a connection: what a proxy says of it is read first.
    const owner = { end: () => socket.destroy() };
    inNameOf(owner, () => admit(ownEvents(socket, owner)));
  };
  const onFull = () => meter.connectionRefused('max_connections');
  const listener = await openListener(options.inheritedSocket ?? config.sshListen, config, onSocket, onFull);

  return {
    address: listener.address,
    renewHostKeys() {
      server = makeServer();
    },
    drain() {
      void listener.close();
      proxied.close();
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
      const closed = listener.close();
      proxied.close();
      for (const connection of served.values()) connection.close(reason);
      const deadline = setTimeout(() => {
        for (const connection of served.values()) connection.destroy();
      }, graceMs);
      await closed;
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
  const certified = hostKeys.flatMap(({ privateKey, certificate }) => {
    const key = ssh2.utils.parseKey(privateKey) as ParsedKey;
    return certificate ? certifiedHostKeys(key, certificate) : [];
  });
  // ssh2 takes a parsed key for the text of one; its types do not say so.
  const parsed = certified.map((key) => ({ key: key as unknown as Buffer, passphrase: '' }));
  return [...parsed, ...hostKeys.map(({ privateKey }) => privateKey)];
}
