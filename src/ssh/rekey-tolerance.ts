/** What is suffered between a peer's KEXINIT and its NEWKEYS when keys are exchanged anew. */
import { message } from './messages.ts';

/** SSH_MSG_IGNORE, UNIMPLEMENTED and DEBUG, RFC 4253 §11.2–11.4. */
const withoutEffect = new Set([2, 3, 4]);
const maxEarlyMessages = 16;

type OnPayload = (payload: Buffer) => unknown;

/**
 * asyncssh sends IGNORE then, as it may (RFC 4253 §7.1): strict key exchange forbids that in the first exchange
 * only, ssh2 in every one. And the data whose size made it ask comes after its KEXINIT, as it may not; like
 * OpenSSH's sshd we take that, but not much of it, for our answers must wait. All else goes to `onKexPayload`.
 */
export function tolerateDuringRekey(onKexPayload: OnPayload, receive: OnPayload | undefined): OnPayload {
  let early = 0;
  return (payload) => {
    const type = payload[0] as number;
    if (withoutEffect.has(type)) return undefined;
    if (type < message.globalRequest || type > message.channelFailure) return onKexPayload(payload);
    return receive && ++early <= maxEarlyMessages ? receive(payload) : onKexPayload(payload);
  };
}
