/** Hosts that are registered. */
import { failed, forbidden, row, usage } from './row.ts';

export const hostsErrors = {
  'invalid-host': usage<{ problem: string }>(({ problem }) => problem),
  'host-name-taken': row<{ name: string }>(
    1,
    409,
    ({ name }) => `the name "${name}" is taken by another host or a container; choose another name.`,
  ),
  'host-not-found': row<{ host: string }>(
    1,
    404,
    ({ host }) => `no host "${host}" for you here; "host list" shows those you can reach.`,
  ),
  'host-address-refused': forbidden<{ hostname: string }>(
    ({ hostname }) =>
      `only admins may register ${hostname}: it is an address of the gateway's own machine or networks.`,
  ),
  'host-in-use': failed<{ host: string }>(
    ({ host }) => `other hosts (--via) or engines (--ssh) are reached through "${host}"; remove those first.`,
  ),
  'host-unreachable': row<{ host: string; reason: string }>(
    255,
    502,
    ({ host, reason }) => `${host} cannot be reached from the gateway (${reason}).`,
  ),
  'host-via-refused': row<{ host: string; reason: string }>(
    255,
    502,
    ({ host, reason }) => `the way to "${host}" (--via) is closed: ${reason}. Ask an admin.`,
  ),
  'host-port-refused': row<{ host: string; port: number }>(
    255,
    403,
    ({ host, port }) =>
      `"${host}" is not forwarded to at port ${port}; "host show ${host}" lists the ports that it is registered with.`,
  ),
  'host-user-unknown': usage<{ host: string; user: string; users: string }>(
    ({ host, user, users }) =>
      `the gateway logs in to ${host} as ${users} only, and not as "${user}" (host add --users); ask whoever registered it.`,
  ),
  'host-limited': row<{ host: string }>(
    255,
    403,
    ({ host }) =>
      `"${host}" is shared with you with limits, which end to end nobody could keep; log in through the gateway instead, as "connect ${host}" tells.`,
  ),
  'too-many-hosts': failed<{ limit: number }>(
    ({ limit }) => `an account may register ${limit} hosts; remove one with "host remove" first.`,
  ),
} as const;
