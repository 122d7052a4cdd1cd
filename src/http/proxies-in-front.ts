/** What listed proxies say about whose a connection (PROXY protocol) and a request (X-Forwarded-For) is. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { liveAddressBlocks } from '../config/address-blocks.ts';
import type { Config } from '../config/config.ts';
import { createProxiedAcceptance } from '../proxies/accept-proxied.ts';
import { type ConnectionEnds, ownEnds } from '../proxies/connection-ends.ts';
import { findForwardedSource } from '../proxies/forwarded-for.ts';
import { noteRequestEnds } from '../proxies/request-source.ts';

export interface ProxiesInFront {
  /** Reads the PROXY headers of `server`'s connections before it, or TLS, sees their first byte. */
  stand(server: Server, isTls: boolean): void;
  /** To be called with each request before anything asks whose it is. */
  note(request: IncomingMessage): void;
  /** Closes connections whose header is still awaited. */
  close(): void;
}

export type ProxyConfig = Pick<Config, 'proxyProtocolFrom' | 'trustedProxies'>;

export function createProxiesInFront(config: ProxyConfig): ProxiesInFront {
  const acceptance = createProxiedAcceptance(liveAddressBlocks(() => config.proxyProtocolFrom));
  const trusted = liveAddressBlocks(() => config.trustedProxies);
  /** By the ports and addresses of its socket, which a TLS socket on top of it shows as its own. */
  const proxied = new Map<string, ConnectionEnds>();

  function remember(socket: Socket, ends: ConnectionEnds): void {
    const name = nameOf(socket);
    proxied.set(name, ends);
    socket.once('close', () => proxied.delete(name));
  }

  return {
    stand(server, isTls) {
      const own = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
      server.removeAllListeners('connection');
      server.on('connection', (socket: Socket) =>
        acceptance.accept(socket, (ends, head) => {
          if (!isDeepStrictEqual(ends, ownEnds(socket))) remember(socket, ends);
          if (head.length > 0) socket.unshift(head);
          for (const listener of own) listener.call(server, socket);
          // TLS takes what is waiting out of a paused socket by itself, and would not see what flows.
          if (!isTls) socket.resume();
        }),
      );
    },
    note(request) {
      const ends = proxied.get(nameOf(request.socket)) ?? ownEnds(request.socket);
      const { 'x-forwarded-for': header } = request.headers;
      const list = Array.isArray(header) ? header.join(',') : header;
      const address = findForwardedSource(ends.source.address, list, trusted);
      noteRequestEnds(request, address === undefined ? ends : { ...ends, source: { address, port: 0 } });
    },
    close: acceptance.close,
  };
}

const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket) =>
  [remoteAddress, remotePort, localAddress, localPort].join(' ');
