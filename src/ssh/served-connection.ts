/**
 * The life of one SSH connection, from an accepted transport to its end. Each stage has its way out:
 * no version line, no login in time, too many tries, protocol error, lost transport, or a closing by us.
 */
import type { Connection } from 'ssh2';
import type { Offence } from '../auth/penalties.ts';
import { isGatewayError } from '../errors.ts';
import type { FaultOwner } from '../platform/fault-owner.ts';
import { randomId } from '../platform/ids.ts';
import { printable } from '../platform/printable.ts';
import { type ConnectionEnds, ownEnds } from '../proxies/connection-ends.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import { channelTypes } from './channel-types.ts';
import { ConnectionLayer, type GlobalRequestHandler } from './connection-layer.ts';
import type { DoorContext, OuterConnection, Transport } from './door-context.ts';
import { createForwardSlots, type ForwardSlots } from './forward-slots.ts';
import { hostKeysAnnouncement, proveHostKeys } from './host-key-announcement.ts';
import { graceToJoin, graceWithJitter, LoginOutcome } from './login-outcome.ts';
import { disconnectReason } from './messages.ts';
import { createOpenPeerChannel, type OpenPeerChannel } from './peer-channels.ts';
import { isPeersFault } from './peer-fault.ts';
import { remoteForwards } from './remote-forwards.ts';
import { hostKeyAlgorithmOf, sendDisconnect, sessionIdOf } from './ssh2-internals.ts';
import { type Authenticated, authenticateUser } from './userauth.ts';

/** After a polite end, a peer has this long to close its side (library-traps 11). */
const hangUpGraceMs = 2_000;
/** Sessions that were told of a closing have this long to say goodbye. */
const farewellMs = 1_000;
/** After its last channel a client leaves by itself. A DISCONNECT that it reads sooner costs ssh what it has not yet written of stderr. */
const partingMs = 400;

export class ServedConnection implements FaultOwner {
  /** Called once, when the peer has proven who it is. */
  onAuthenticated: () => void = () => {};
  /** Called once, when it is gone, with the offence that it is, if any, where the peer never has. */
  onLeft: (offence?: Offence) => void = () => {};
  readonly connectionId = randomId();
  readonly #context: DoorContext;
  readonly #transport: Transport;
  readonly #outer: OuterConnection | undefined;
  readonly #ends: ConnectionEnds;
  readonly #outcome = new LoginOutcome();
  readonly #startedAt = Date.now();
  readonly #startedAtMs = performance.now();
  #loginDeadline: NodeJS.Timeout;
  #client: Connection | undefined;
  #layer: ConnectionLayer | undefined;
  #unregister: () => void = () => {};
  #stopListening: () => void = () => {};
  #reason = 'closed by the peer';
  #noMoreSessions = false;
  #isLeaving = false;
  #isGone = false;
  #idleSinceMs: number | undefined;
  #slots: ForwardSlots | undefined;

  /** `ends`: where the transport itself knows only a proxy's. */
  constructor(
    context: DoorContext,
    transport: Transport,
    { outer, ends = ownEnds(transport) }: { outer?: OuterConnection; ends?: ConnectionEnds } = {},
  ) {
    this.#context = context;
    this.#transport = transport;
    this.#outer = outer;
    this.#ends = ends;
    this.#loginDeadline = setTimeout(() => {
      this.#outcome.note('grace-exceeded');
      this.#refused('no login in time');
      this.destroy();
    }, graceWithJitter(context.config.loginGraceTimeMs));
    this.#loginDeadline.unref();
    // A transport that fails before ssh2 listens must not end the process.
    transport.on('error', () => {});
  }

  /** ssh2 has read the version line. Listeners go on in this very tick (library-traps 12). */
  attach(client: Connection): void {
    this.#client = client;
    const { authenticator, config } = this.#context;
    client.on('error', (error: Error & { level?: string }) => this.#failed(error));
    authenticateUser({
      client,
      authenticator,
      config,
      source: this.#ends.source,
      ...(this.#outer ? { outer: this.#outer.identity } : {}),
      hangUp: () => this.#hangUp('too many authentication failures'),
      onConduct: (conduct) => this.#outcome.note(conduct),
      onRefused: ({ reason, fingerprint }) => this.#refused(reason, fingerprint),
      onAuthenticated: (authenticated) => this.#authenticated(client, authenticated),
      onAccepted: () => this.#layer?.send(hostKeysAnnouncement(this.#context.hostKeys().announced)),
    });
  }

  /** Ends it: disconnects as soon as its sessions have ended, which the caller has told to. */
  close(reason: string): void {
    this.#reason = reason;
    const deadline = performance.now() + farewellMs;
    const hadChannels = this.#channelCount > 0;
    const poll = () => {
      if (this.#channelCount > 0 && performance.now() < deadline) setTimeout(poll, 10);
      else if (hadChannels) setTimeout(() => this.#hangUp(reason), partingMs);
      else this.#hangUp(reason);
    };
    poll();
  }

  /** Begins nothing any more but forwards of what runs, and closes when nothing does: to be called until it is closed. */
  leave(reason: string): void {
    this.#isLeaving = true;
    const isBusy = this.#channelCount > 0 || (this.#slots?.taken ?? 0) > 0;
    if (isBusy) this.#idleSinceMs = undefined;
    else this.#idleSinceMs ??= performance.now();
    if (this.#idleSinceMs === undefined || performance.now() - this.#idleSinceMs < partingMs) return;
    this.#idleSinceMs = Number.POSITIVE_INFINITY;
    this.#hangUp(reason);
  }

  get #channelCount(): number {
    return this.#layer?.channelCount ?? 0;
  }

  destroy(): void {
    this.#transport.destroy();
  }

  /** After a fault of ours, of which nobody knows what it left behind: nothing more of the peer is read. */
  end(sentence: string): void {
    this.#outcome.note('crash');
    this.#transport.removeAllListeners('data').resume();
    this.#hangUp(sentence);
  }

  transportClosed(): void {
    this.#isGone = true;
    clearTimeout(this.#loginDeadline);
    this.#layer?.connectionLost();
    this.#unregister();
    this.#stopListening();
    this.#context.audit.connectionClosed({
      connectionId: this.connectionId,
      reason: this.#reason,
      durationMs: Math.round(performance.now() - this.#startedAtMs),
      ...(this.#layer ? {} : { source: this.#ends.source.address }),
    });
    this.onLeft(this.#layer ? undefined : this.#outcome.offence);
  }

  #authenticated(client: Connection, { peer, loginName }: Authenticated): void {
    // The peer left while its signature or its code was being checked. A jump's channel that it closed is not destroyed.
    if (this.#isGone) return;
    clearTimeout(this.#loginDeadline);
    const { config, audit, addConnection } = this.#context;
    const tooLate = () => this.close('nobody joined in time');
    // An invite makes nobody of anybody's key: until it has joined it is one of those who have yet to log in.
    if (peer.kind === 'account') this.onAuthenticated();
    else this.#loginDeadline = setTimeout(tooLate, graceToJoin(config.loginGraceTimeMs)).unref();
    const connection: PeerConnection = {
      id: this.connectionId,
      peer,
      loginName,
      ...this.#ends,
      ...(this.#outer ? { jumpTarget: this.#outer.target } : {}),
    };
    const slots = createForwardSlots(config.maxForwardsPerConnection);
    this.#slots = slots;
    const openPeerChannel = createOpenPeerChannel(slots, () => this.#layer);
    this.#layer = new ConnectionLayer({
      client,
      transport: this.#transport,
      channelOpens: channelTypes({
        context: this.#context,
        connection,
        slots,
        openPeerChannel,
        untilListening: () => this.#layer?.answering,
        refusesSession: () => this.#refusesSession(),
      }),
      globalRequests: new Map([
        ...this.#globalRequests(client),
        ...this.#forwards(connection, slots, openPeerChannel),
      ]),
      rekeyLimits: { bytes: config.rekeyAfterBytes, intervalMs: config.rekeyAfterMs },
      maxChannels: config.maxSessionsPerConnection + config.maxForwardsPerConnection,
      onFailure: (error) => this.#failed(error),
    });
    if (peer.kind === 'applicant') return;
    const { identity } = peer;
    audit.loginAccepted(identity, this.connectionId);
    this.#unregister = addConnection({
      id: this.connectionId,
      identity,
      openedAt: new Date(this.#startedAt).toISOString(),
      close: (reason) => this.close(reason),
    });
  }

  /** OpenSSH's PROTOCOL 2.2: whoever asks for one after having said there would be none is somebody else. */
  #refusesSession(): string | undefined {
    if (this.#noMoreSessions) {
      this.#layer?.fail('a session after no-more-sessions@openssh.com');
      return 'no more sessions';
    }
    return this.#isLeaving ? 'the gateway is about to stop; connect again in a moment' : undefined;
  }

  #globalRequests(client: Connection): ReadonlyMap<string, GlobalRequestHandler> {
    const prove: GlobalRequestHandler = (data) =>
      proveHostKeys(data, this.#context.hostKeys().announced, {
        sessionId: sessionIdOf(client),
        hostKeyAlgorithm: hostKeyAlgorithmOf(client),
      });
    return new Map<string, GlobalRequestHandler>([
      [
        'no-more-sessions@openssh.com',
        // Behind the session that was asked for just before, whose handler runs a microtask after its message.
        () =>
          Promise.resolve().then(() => {
            this.#noMoreSessions = true;
            return true;
          }),
      ],
      ['hostkeys-prove-00@openssh.com', prove],
    ]);
  }

  /** What a peer with an account may have, besides sessions: nobody forwards anything for an applicant. */
  #forwards(connection: PeerConnection, slots: ForwardSlots, openPeerChannel: OpenPeerChannel) {
    const { peer } = connection;
    if (peer.kind === 'applicant') return new Map<string, GlobalRequestHandler>();
    const { openRemoteForward } = this.#context;
    const { identity } = peer;
    const forwards = remoteForwards({ connection, identity, openRemoteForward, slots, openPeerChannel });
    this.#stopListening = forwards.close;
    return forwards.requests;
  }

  #failed(error: Error & { level?: string }): void {
    const { log, onFault } = this.#context;
    if (isGatewayError(error) && error.code === 'store-unavailable') {
      this.#refused('the store is away');
      return this.#hangUp(error.message);
    }
    if (!isPeersFault(error)) return onFault(error, this);
    const reason = printable(error.message);
    log.debug(
      { connectionId: this.connectionId, source: this.#ends.source.address, reason },
      'connection failed',
    );
    this.#hangUp(error.level === 'client-timeout' ? 'keepalive missed' : reason);
  }

  #refused(reason: string, fingerprint?: string): void {
    this.#reason = reason;
    this.#context.audit.loginRefused({
      connectionId: this.connectionId,
      source: this.#ends.source.address,
      reason,
      ...(fingerprint ? { fingerprint } : {}),
    });
  }

  /** Says goodbye, and does not wait for an answer for ever. */
  #hangUp(reason: string): void {
    if (this.#transport.destroyed) return;
    this.#reason = reason;
    try {
      if (this.#client && this.#transport.writable) {
        sendDisconnect(this.#client, disconnectReason.byApplication, reason);
        this.#transport.end();
      }
    } catch {
      // ssh2 throws when the connection was destroyed under it; the transport is closed below all the same.
    }
    if (this.#client === undefined) return this.destroy();
    setTimeout(() => this.destroy(), hangUpGraceMs).unref();
  }
}
