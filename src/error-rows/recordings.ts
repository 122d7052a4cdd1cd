/** Recordings, and sessions that are to be recorded. */
import { failed, row } from './row.ts';

export const recordingsErrors = {
  'recording-impossible': row<{ target: string; reason: string }>(
    254,
    503,
    ({ target, reason }) =>
      `sessions in ${target} must be recorded, and no recording can be made now: ${reason}. Ask the gateway's operator to make room for it.`,
  ),
  'recording-lost': row<{ target: string; reason: string }>(
    254,
    503,
    ({ target, reason }) =>
      `this session was ended: sessions in ${target} must be recorded, and its recording cannot be written any more: ${reason}.`,
  ),
  'recording-end-to-end': row<{ host: string }>(
    255,
    403,
    ({ host }) =>
      `sessions in "${host}" must be recorded, and end to end (ssh -J, -W) nobody can; log in through the gateway instead, which "connect ${host}" explains.`,
  ),
  'recording-tunnel': row<{ target: string }>(
    255,
    403,
    ({ target }) =>
      `sessions in ${target} must be recorded, and no SSH passes by that through a forwarding; log in to ${target} through the gateway instead.`,
  ),
  'recording-missing': row<{ target: string }>(
    255,
    403,
    ({ target }) => `sessions in ${target} must be recorded from now on, and this one is not; open it again.`,
  ),
  'recording-not-found': failed<{ recording: string }>(
    ({ recording }) => `there is no recording "${recording}"; "recording list" shows them.`,
  ),
  'recording-running': failed<{ recording: string }>(
    ({ recording }) =>
      `the recording ${recording} is being written still; "session kill ${recording}" ends its session.`,
  ),
} as const;
