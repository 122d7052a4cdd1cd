import type { SessionEnd } from '../sessions/session.ts';
import type { Channel } from './channel.ts';
import { boolean, string, uint32 } from './wire.ts';

/**
 * The one function that ends a session's channel: both outputs drain, then exit-status or exit-signal
 * (RFC 4254 §6.10), then EOF, then CLOSE. If the peer left meanwhile, nothing is sent.
 */
export async function endSession(channel: Channel, end: SessionEnd): Promise<void> {
  await channel.drained();
  if ('exitStatus' in end) {
    channel.sendRequest('exit-status', uint32(end.exitStatus));
  } else {
    const coreDumped = boolean(end.coreDumped === true);
    channel.sendRequest(
      'exit-signal',
      Buffer.concat([string(end.exitSignal), coreDumped, string(end.message), string('')]),
    );
  }
  channel.sendEof();
  channel.close();
}
