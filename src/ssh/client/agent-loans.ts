/** The person's agent in a host: lent to it by sessions that asked for it, for as long as they run. */
import { carryBytes } from '../../sessions/carry-bytes.ts';
import type { OpenAgent } from '../../targets/host-connection.ts';
import type { ChannelOpenHandler } from '../channel-open.ts';
import { channelStream } from './channel-stream.ts';

export interface AgentLoans {
  /** Until the signal aborts, the host may open channels to that agent; those then end. */
  lend(agent: OpenAgent, until: AbortSignal): void;
  /** Answers the host's `auth-agent@openssh.com`. */
  readonly channelOpen: ChannelOpenHandler;
}

/** Agents answer one request after another, and programs ask for little. */
const maxAtOnce = 32;

export function createAgentLoans(): AgentLoans {
  const loans = new Map<OpenAgent, AbortSignal>();
  let open = 0;
  return {
    lend(agent, until) {
      if (until.aborted) return;
      loans.set(agent, until);
      until.addEventListener('abort', () => loans.delete(agent), { once: true });
    },
    async channelOpen({ accept, refuse }) {
      const [loan] = loans;
      if (!loan) return refuse('no agent is forwarded');
      if (open >= maxAtOnce) return refuse('too many connections to the agent');
      open++;
      try {
        const [openAgent, ended] = loan;
        const peer = await openAgent().catch(() => refuse('the agent is gone'));
        const stream = channelStream(accept({ eofAtFinish: true }));
        stream.once('close', () => open--);
        void carryBytes(peer.stream, stream, { peerClosed: peer.closed, ended }).then(() => peer.close());
      } catch (error) {
        open--;
        throw error;
      }
    },
  };
}
