/** The types of channel that a peer may open, RFC 4254 §5.1; what is absent is refused. */
import { forwardsInto } from '../sessions/forward-access.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import type { ChannelOpenHandler } from './channel-open.ts';
import { directStreamlocal, directTcpip } from './direct-tcpip.ts';
import type { DoorContext } from './door-context.ts';
import type { ForwardSlots } from './forward-slots.ts';
import type { OpenPeerChannel } from './peer-channels.ts';
import { serveSessionChannel } from './session-channel.ts';

export interface ChannelTypesOptions {
  readonly context: DoorContext;
  readonly connection: PeerConnection;
  readonly slots: ForwardSlots;
  readonly openPeerChannel: OpenPeerChannel;
  /** False: the connection is ended for asking. */
  /** Why there is to be no other session on this connection; undefined: there may be. */
  readonly refusesSession: () => string | undefined;
}

export function channelTypes(options: ChannelTypesOptions): ReadonlyMap<string, ChannelOpenHandler> {
  const { context, connection, slots } = options;
  const { peer } = connection;
  const session = sessionChannel(options);
  if (peer.kind === 'applicant') {
    const none: ChannelOpenHandler = ({ refuse }) => refuse('nothing is forwarded before you have joined');
    return new Map([
      ['session', session],
      ['direct-tcpip', none],
      ['direct-streamlocal@openssh.com', none],
    ]);
  }
  const { resolveJump, openForward, serveInner } = context;
  const isInTarget = leadsToTarget(options);
  const { identity } = peer;
  const forward = { connection, identity, resolveJump, openForward, isInTarget, slots, serveInner };
  return new Map([
    ['session', session],
    ['direct-tcpip', directTcpip(forward)],
    ['direct-streamlocal@openssh.com', directStreamlocal(forward)],
  ]);
}

const leadsToTarget = ({ context, connection }: ChannelTypesOptions) =>
  forwardsInto(connection, context.config.targetPrefix) !== undefined;

function sessionChannel(options: ChannelTypesOptions): ChannelOpenHandler {
  const { config, runSession } = options.context;
  const { connection, openPeerChannel, refusesSession } = options;
  const lendsAgent = connection.peer.kind === 'account';
  const openAgent = () => openPeerChannel('auth-agent@openssh.com', Buffer.alloc(0));
  let sessions = 0;
  return ({ accept, refuse }) => {
    const reason = refusesSession();
    if (reason !== undefined) refuse(reason);
    if (sessions >= config.maxSessionsPerConnection) refuse('too many sessions on this connection');
    sessions++;
    // As sshd has it: what is sent to a session that never starts would only lie here.
    const channel = accept({ eofAtFinish: false, startsClosed: true });
    channel.gone.addEventListener('abort', () => sessions--, { once: true });
    serveSessionChannel(
      channel,
      (request, io) =>
        runSession(connection, request, io, () => ({ bytesIn: channel.bytesIn, bytesOut: channel.bytesOut })),
      lendsAgent ? openAgent : undefined,
    );
  };
}
