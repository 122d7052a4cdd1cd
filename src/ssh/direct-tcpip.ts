/**
 * What `ssh -J`, `-W` and `-L` open, RFC 4254 §7.2. A target's port 22 is answered by our own SSH server
 * inside the channel; nothing is looked up or dialled for any other name.
 */
import type { Identity } from '../auth/identity.ts';
import { isGatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import type { ChannelOpenHandler } from './channel-open.ts';
import type { OuterConnection, Transport } from './served-connection.ts';

/** The target that a destination means for this identity. Throws a GatewayError for anything else. */
export type ResolveJump = (identity: Identity, host: string, port: number) => Promise<{ target: string }>;

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
    const target = await resolveJump(identity, host, port).then(
      (found) => found.target,
      (error: unknown) => {
        if (isGatewayError(error)) return refuse(printable(error.message));
        throw error;
      },
    );
    const channel = accept({ eofAtFinish: true });
    // SSH knows no half-open connection: when the client's end of the inner one is gone, so is the inner one.
    channel.once('end', () => channel.close());
    const transport = Object.assign(channel, {
      remoteAddress: connection.source.address,
      remotePort: connection.source.port,
      localAddress: connection.local.address,
      localPort: connection.local.port,
    });
    serveInner(transport, { identity, target });
  };
}
