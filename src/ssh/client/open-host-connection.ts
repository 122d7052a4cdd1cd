/** The gateway's own SSH connection to a host: transport, login, and our connection layer in the client's role. */
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import type { HostConnection, HostToConnect, OpenHostConnection } from '../../targets/host-connection.ts';
import { ConnectionLayer } from '../connection-layer.ts';
import { disconnectReason } from '../messages.ts';
import type { RekeyLimits } from '../rekeying.ts';
import { sendDisconnect } from '../ssh2-internals.ts';
import { createAgentLoans } from './agent-loans.ts';
import { hostKeyTypes } from './client-algorithms.ts';
import { createHostForwards } from './host-forwards.ts';
import { describeHostKey } from './host-key-line.ts';
import { type KeepAliveRules, keepAlive } from './keep-alive.ts';
import { logIn } from './log-in.ts';
import { type ClientTransport, openTransport } from './open-transport.ts';
import { openedBefore } from './opened-before.ts';
import { runHostSession } from './run-host-session.ts';

export interface HostConnectionRules {
  /** For the host to prove its key, and to answer each channel that is opened to it. */
  readonly answerWithinMs: number;
  readonly rekeyLimits: RekeyLimits;
  readonly keepAlive: KeepAliveRules;
}

/** Channels that a host may have open at once: forwarded connections and agents. */
const maxChannels = 1_000;
/** After a goodbye, a host has this long to close its side. */
const goodbyeMs = 1_000;

export const createOpenHostConnection =
  (rules: HostConnectionRules): OpenHostConnection =>
  async (stream, host, signal) => {
    const transport = await prove(
      stream,
      host,
      AbortSignal.any([signal, AbortSignal.timeout(rules.answerWithinMs)]),
    );
    const onAbort = () => transport.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      let connection: HostConnection | undefined;
      await logIn(transport, host, () => {
        connection = connect(transport, host, rules);
      });
      return connection as HostConnection;
    } catch (error) {
      transport.destroy();
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };

/** Nothing is sent to a host that shows another key than a pinned one, not even whose key we have. */
async function prove(
  stream: Parameters<OpenHostConnection>[0],
  { name: host, hostKeys }: HostToConnect,
  signal: AbortSignal,
): Promise<ClientTransport> {
  const pinned = hostKeys.map((line) => Buffer.from(line.split(' ')[1] ?? '', 'base64'));
  const pinnedTypes = hostKeyTypes.filter((type) => hostKeys.some((line) => line.startsWith(`${type} `)));
  let mistrusted: string | undefined;
  try {
    return await openTransport(stream, {
      // Another key than those pinned is asked for last, so that we can say which it is.
      hostKeyTypes: [...new Set([...pinnedTypes, ...hostKeyTypes])],
      isTrusted: (hostKey) => {
        const isPinned = pinned.some((each) => each.equals(hostKey));
        if (!isPinned) mistrusted = describeHostKey(hostKey);
        return isPinned;
      },
      signal,
    });
  } catch (cause) {
    if (signal.aborted) throw new GatewayError('host-unreachable', { host, reason: 'no answer in time' });
    if (mistrusted === undefined) {
      const reason = printable(excerpt((cause as Error).message, 200));
      throw new GatewayError('host-unreachable', { host, reason }, { cause });
    }
    if (pinned.length === 0) throw new GatewayError('host-unpinned', { host, presented: mistrusted });
    const known = pinned.map(describeHostKey).join(', ');
    throw new GatewayError('host-key-changed', { host, pinned: known, presented: mistrusted });
  }
}

function connect(
  transport: ClientTransport,
  host: HostToConnect,
  rules: HostConnectionRules,
): HostConnection {
  const { client, stream } = transport;
  const gone = new AbortController();
  let lost: string | undefined;
  const agents = createAgentLoans();
  const forwards = createHostForwards(host.name, () => layer, rules.answerWithinMs);
  const layer: ConnectionLayer = new ConnectionLayer({
    client,
    transport: stream,
    channelOpens: new Map([
      ['forwarded-tcpip', forwards.forwardedTcpip],
      ['auth-agent@openssh.com', agents.channelOpen],
    ]),
    globalRequests: new Map(),
    maxChannels,
    rekeyLimits: rules.rekeyLimits,
    onFailure(error) {
      lost ??= error.message;
      transport.destroy();
    },
  });
  const stopAsking = keepAlive(layer, rules.keepAlive, () => {
    lost ??= 'it gives no sign of life';
    transport.destroy();
  });
  transport.onEnd((reason) => {
    lost = printable(excerpt(lost ?? reason, 200));
    stopAsking();
    layer.connectionLost();
    forwards.close();
    gone.abort();
  });
  return {
    gone: gone.signal,
    dial: forwards.dial,
    dialSocket: forwards.dialSocket,
    listen: forwards.listen,
    async runSession(request, io, agent) {
      let reason = lost ?? 'the connection to it was lost';
      const options = { eofAtFinish: true, takesStderr: true };
      const inTime = AbortSignal.timeout(rules.answerWithinMs);
      const opening = layer.openChannel('session', Buffer.alloc(0), options, (refusal) => {
        reason = printable(excerpt(refusal.message, 200)) || 'too many sessions';
      });
      const channel = await openedBefore(AbortSignal.any([inTime, io.closed]), opening);
      if (!channel && inTime.aborted) reason = 'no answer in time';
      if (!channel) throw new GatewayError('host-session-refused', { host: host.name, reason });
      if (agent) agents.lend(agent, channel.gone);
      const wantsAgent = agent !== undefined;
      return runHostSession({ host: host.name, channel, request, io, wantsAgent, lost: () => lost });
    },
    close() {
      if (gone.signal.aborted) return;
      sendDisconnect(client, disconnectReason.byApplication, 'done');
      stream.end();
      setTimeout(() => transport.destroy(), goodbyeMs).unref();
    },
  };
}
