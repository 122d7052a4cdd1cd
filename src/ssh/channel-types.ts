/** The types of channel that a peer may open, RFC 4254 §5.1; what is absent is refused. */
import { setTimeout as pause } from 'node:timers/promises';
import { forwardsInto } from '../sessions/forward-access.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import type { ChannelOpenHandler } from './channel-open.ts';
import { directStreamlocal, directTcpip } from './direct-tcpip.ts';
import type { DoorContext } from './door-context.ts';
import type { ForwardSlots } from './forward-slots.ts';
import type { OpenPeerChannel } from './peer-channels.ts';
import { type StartSession, serveSessionChannel } from './session-channel.ts';

/** A session begins by then even if it is not yet known whether the peer may listen. */
const listeningWaitMs = 10_000;

export interface ChannelTypesOptions {
  readonly context: DoorContext;
  readonly connection: PeerConnection;
  readonly slots: ForwardSlots;
  readonly openPeerChannel: OpenPeerChannel;
  /** Settles when the peer listens where it asked to before; undefined: it does. */
  readonly untilListening: () => Promise<unknown> | undefined;
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
  const { config, runSession, expectSession } = options.context;
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
    expectSession(connection);
    channel.gone.addEventListener('abort', () => sessions--, { once: true });
    const start: StartSession = (request, io) =>
      runSession(connection, request, io, () => ({ bytesIn: channel.bytesIn, bytesOut: channel.bytesOut }));
    serveSessionChannel(
      channel,
      onceListening(options.untilListening, start),
      lendsAgent ? openAgent : undefined,
    );
  };
}

/**
 * As with sshd, which takes one message after the other: a program finds listening what was asked for before it with -R.
 * OpenSSH's client asks for both at once, and only shows what came of the first.
 */
const onceListening =
  (untilListening: () => Promise<unknown> | undefined, start: StartSession): StartSession =>
  async (request, io, channel) => {
    const listening = untilListening();
    if (listening) await Promise.race([listening, pause(listeningWaitMs, undefined, { ref: false })]);
    if (io.closed.aborted) return { exitSignal: 'HUP', message: 'the client left before it began' };
    return start(request, io, channel);
  };
