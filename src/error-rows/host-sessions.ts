/** Sessions in registered hosts that the gateway itself opens. */
import { row } from './row.ts';

export const hostSessionsErrors = {
  'host-unpinned': row<{ host: string; presented: string }>(
    255,
    502,
    ({ host, presented }) =>
      `the host key of "${host}" is not pinned yet, so the gateway does not log in there; it shows ${presented} now. Compare that with the host's own, then run "host trust ${host}".`,
  ),
  'host-key-changed': row<{ host: string; pinned: string; presented: string }>(
    255,
    502,
    ({ host, pinned, presented }) =>
      `REMOTE HOST IDENTIFICATION HAS CHANGED! "${host}" shows the host key ${presented}, but ${pinned} is pinned. Somebody may be eavesdropping, or the host has a new key; nothing was sent to it. Ask who runs the host; if the new key is its own, run "host trust ${host}".`,
  ),
  'host-no-identity': row<{ host: string; destination: string }>(
    255,
    403,
    ({ host, destination }) =>
      `the gateway has no key to log in to "${host}" with; use your own, end to end: ssh -J GATEWAY ${destination}, or forward your agent to the gateway (ssh -A).`,
  ),
  'host-login-refused': row<{ host: string; user: string; tried: string; wants: string }>(
    255,
    502,
    ({ host, user, tried, wants }) =>
      `"${host}" does not let the gateway in as ${user}. Tried: ${tried}. It wants: ${wants}.`,
  ),
  'host-identity-unusable': row<{ host: string; key: string; why: string }>(
    255,
    500,
    ({ host, key, why }) => `the gateway cannot log in to "${host}" with ${key}: ${why}; ask its operator.`,
  ),
  'host-session-refused': row<{ host: string; reason: string }>(
    255,
    502,
    ({ host, reason }) => `"${host}" refused the session: ${reason}.`,
  ),
  'host-start-refused': row<{ host: string; what: string }>(
    255,
    502,
    ({ host, what }) => `"${host}" does not start ${what}; its sshd may not be set up for it.`,
  ),
  'host-lost': row<{ host: string; reason: string }>(
    255,
    502,
    ({ host, reason }) => `the connection from the gateway to "${host}" was lost: ${reason}.`,
  ),
} as const;
