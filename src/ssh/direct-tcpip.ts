/**
 * What `ssh -J`, `-W`, `-L` and `-D` open: `direct-tcpip` (RFC 4254 §7.2), and `direct-streamlocal@openssh.com` (OpenSSH's
 * PROTOCOL 2.4), which leads into a target only. On a connection for a target it leads to wherever the
 * target itself reaches. In the lobby it names one: a container's port 22 is answered by our own SSH server inside the
 * channel, a registered host's goes straight through; nothing is looked up or dialled for any other name.
 */
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import type { OpenForward } from '../sessions/forward.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import type { JumpDestination } from '../sessions/resolve-jump.ts';
import type { ForwardDestination, PortDestination } from '../targets/target.ts';
import type { Channel } from './channel.ts';
import { type ChannelOpenHandler, type ChannelOpenRequest, openRefusedBy } from './channel-open.ts';
import type { OuterConnection, Transport } from './door-context.ts';
import type { ForwardSlots } from './forward-slots.ts';
import { giveBackWith, peerStreamOf } from './peer-channels.ts';

/** What a destination means for this identity. Throws a GatewayError for anything that is not to be had. */
export type ResolveJump = (identity: Identity, host: string, port: number) => Promise<JumpDestination>;

export interface DirectTcpipOptions {
  readonly connection: PeerConnection;
  readonly identity: Identity;
  readonly resolveJump: ResolveJump;
  readonly openForward: OpenForward;
  /** Whether forwards go into the target that the connection is for; else they name one. */
  readonly isInTarget: boolean;
  readonly slots: ForwardSlots;
  readonly serveInner: (transport: Transport, outer: OuterConnection) => void;
}

export function directTcpip(options: DirectTcpipOptions): ChannelOpenHandler {
  return limited(options, (request) => {
    const destination = { host: request.data.text(), port: request.data.uint32() };
    return options.isInTarget ? forward(options, request, destination) : jump(options, request, destination);
  });
}

/** What follows the path in the message is reserved. */
export function directStreamlocal(options: DirectTcpipOptions): ChannelOpenHandler {
  return limited(options, (request) => forward(options, request, { path: request.data.text() }));
}

/** Takes one of the connection's forwards while it is open. */
function limited(
  { slots }: DirectTcpipOptions,
  open: (request: ChannelOpenRequest) => Promise<Channel>,
): ChannelOpenHandler {
  return async (request) => {
    const giveBack = slots.take();
    if (!giveBack) throw openRefusedBy(new GatewayError('too-many-forwards', { limit: slots.limit }));
    const channel = await open(request).catch((error: unknown) => {
      giveBack();
      throw isGatewayError(error) ? openRefusedBy(error) : error;
    });
    giveBackWith(channel, giveBack);
  };
}

type Open<Destination> = (
  options: DirectTcpipOptions,
  request: ChannelOpenRequest,
  destination: Destination,
) => Promise<Channel>;

const forward: Open<ForwardDestination> = async (
  { connection, identity, openForward },
  { accept },
  destination,
) => {
  const carry = await openForward(connection, identity, destination);
  const channel = accept({ eofAtFinish: true });
  void carry(peerStreamOf(channel));
  return channel;
};

const jump: Open<PortDestination> = async (options, request, destination) => {
  const { connection, identity, resolveJump, serveInner } = options;
  const found = await resolveJump(identity, destination.host, destination.port);
  if ('isPort' in found) return forward(options, request, destination);
  const channel = request.accept({ eofAtFinish: true });
  if ('carry' in found) {
    void found.carry(connection, peerStreamOf(channel));
    return channel;
  }
  // SSH knows no half-open connection: when the client's end of the inner one is gone, so is the inner one.
  channel.once('end', () => channel.close());
  const transport = Object.assign(channel, {
    remoteAddress: connection.source.address,
    remotePort: connection.source.port,
    localAddress: connection.local.address,
    localPort: connection.local.port,
  });
  serveInner(transport, { identity, target: found.target });
  return channel;
};
