/**
 * What `ssh -J`, `-W` and `-L` open, RFC 4254 §7.2. A container's port 22 is answered by our own SSH server
 * inside the channel, a registered host's goes straight through; nothing is looked up or dialled for any other name.
 */
import type { Identity } from '../auth/identity.ts';
import { isGatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import type { JumpDestination } from '../sessions/resolve-jump.ts';
import { type ChannelOpenHandler, OpenRefused } from './channel-open.ts';
import { openFailure } from './messages.ts';
import type { OuterConnection, Transport } from './served-connection.ts';

/** What a destination means for this identity. Throws a GatewayError for anything that is not to be had. */
export type ResolveJump = (identity: Identity, host: string, port: number) => Promise<JumpDestination>;

export interface DirectTcpipOptions {
  readonly connection: PeerConnection;
  readonly identity: Identity;
  readonly resolveJump: ResolveJump;
  readonly serveInner: (transport: Transport, outer: OuterConnection) => void;
}

export function directTcpip(options: DirectTcpipOptions): ChannelOpenHandler {
  const { connection, identity, resolveJump, serveInner } = options;
  return async ({ data, accept, refuse }) => {
    const host = data.text();
    const port = data.uint32();
    const found = await resolveJump(identity, host, port).catch((error: unknown) => {
      if (isGatewayError(error, 'host-unreachable')) {
        throw new OpenRefused(openFailure.connectFailed, printable(error.message));
      }
      if (isGatewayError(error)) return refuse(printable(error.message));
      throw error;
    });
    const channel = accept({ eofAtFinish: true });
    if ('serve' in found) return found.serve(channel, connection.id);
    // SSH knows no half-open connection: when the client's end of the inner one is gone, so is the inner one.
    channel.once('end', () => channel.close());
    const transport = Object.assign(channel, {
      remoteAddress: connection.source.address,
      remotePort: connection.source.port,
      localAddress: connection.local.address,
      localPort: connection.local.port,
    });
    serveInner(transport, { identity, target: found.target });
  };
}
