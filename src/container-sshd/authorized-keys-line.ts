/** A key as a line of authorized_keys, sshd(8), with what narrows it as options. Pure. */
import type { ReachingKey } from '../auth/reaching-keys.ts';
import { excerpt } from '../platform/excerpt.ts';
import { printable } from '../platform/printable.ts';

/** The comment holds names that people chose; it can neither end the line nor be a line of its own. */
export function authorizedKeysLine(reaching: ReachingKey): string {
  const { account, key } = reaching;
  const options = optionsOf(reaching).join(',');
  const comment = printable(excerpt(`${account.name}: ${key.name}`, 128));
  return `${options === '' ? '' : `${options} `}${key.publicKey} ${comment}`;
}

/**
 * `restrict` first, which also takes away what exists in an sshd and not here (X11, ~/.ssh/rc, what is yet to come).
 * `environment=` is left out: it narrows nothing. An sshd too old for an option passes over the line: nobody gets in by it.
 */
function optionsOf({ key, allows }: ReachingKey): readonly string[] {
  const { from, command, permitOpen, permitListen, noTouchRequired, verifyRequired } = key.restrictions;
  const permitted = [
    ...(allows.pty ? ['pty'] : []),
    ...(allows.forwarding ? ['port-forwarding'] : []),
    ...(allows.agentForwarding ? ['agent-forwarding'] : []),
  ];
  const narrowing = [
    ...quoted('from', from),
    ...quoted('command', command),
    ...(permitOpen ?? []).flatMap((place) => quoted('permitopen', place)),
    ...(permitListen ?? []).flatMap((place) => quoted('permitlisten', place)),
    ...(verifyRequired ? ['verify-required'] : []),
  ];
  const isNarrowed = narrowing.length > 0 || permitted.length < 3;
  return [
    ...(isNarrowed ? ['restrict', ...permitted] : []),
    ...narrowing,
    ...(noTouchRequired ? ['no-touch-required'] : []),
    ...(key.expiresAt === undefined ? [] : [`expiry-time="${expiryTime(key.expiresAt)}"`]),
  ];
}

const quoted = (name: string, value: string | undefined) =>
  value === undefined ? [] : [`${name}="${value.replaceAll('"', '\\"')}"`];

/** `YYYYMMDDHHMMSSZ`, in UTC. */
const expiryTime = (iso: string) =>
  `${new Date(iso)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/\D/g, '')}Z`;
