/** Channels that we open to the peer for what connects in a target: bounded, and as the middle takes them. */
import type { PeerStream } from '../sessions/session.ts';
import type { Channel } from './channel.ts';
import type { ConnectionLayer } from './connection-layer.ts';
import type { ForwardSlots } from './forward-slots.ts';

/** Undefined where the peer does not take the channel, or too many are open. */
export type OpenPeerChannel = (type: string, data: Buffer) => Promise<PeerStream | undefined>;

/** `layer` is there when the first channel is opened. */
export function createOpenPeerChannel(
  slots: ForwardSlots,
  layer: () => ConnectionLayer | undefined,
): OpenPeerChannel {
  return async (type, data) => {
    const giveBack = slots.take();
    if (!giveBack) return undefined;
    const channel = await layer()?.openChannel(type, data, { eofAtFinish: true });
    if (!channel) {
      giveBack();
      return undefined;
    }
    giveBackWith(channel, giveBack);
    return peerStreamOf(channel);
  };
}

/** When the channel is gone. */
export function giveBackWith({ gone }: Channel, giveBack: () => void): void {
  if (gone.aborted) giveBack();
  else gone.addEventListener('abort', giveBack, { once: true });
}

export const peerStreamOf = (channel: Channel): PeerStream => ({
  stream: channel,
  closed: channel.gone,
  traffic: () => ({ bytesIn: channel.bytesIn, bytesOut: channel.bytesOut }),
  close: () => channel.close(),
});
