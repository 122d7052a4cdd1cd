/** What each option of an authorized_keys line (sshd(8)) does to a key, and why some are not kept. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { hasControlCharacters } from '../platform/printable.ts';
import type { KeyRestrictions } from '../store/schema.ts';
import { checkFrom } from './from-patterns.ts';
import { checkPermitListen, checkPermitOpen, maxPermitPatterns } from './permit-patterns.ts';

export interface ParsedOptions {
  readonly restrictions: KeyRestrictions;
  /** ISO 8601 in UTC, from `expiry-time`. */
  readonly expiresAt?: string;
}

/** `value` is what stands in the quotes, unescaped; undefined for an option without `=`. */
export interface KeyOption {
  readonly name: string;
  readonly value: string | undefined;
}

type Restrictions = { -readonly [K in keyof KeyRestrictions]: KeyRestrictions[K] };
type Permission = 'noPty' | 'noPortForwarding' | 'noAgentForwarding';
type Flag = Permission | 'noTouchRequired' | 'verifyRequired';
type List = 'permitOpen' | 'permitListen' | 'environment';

/** An option's effect on what came before it. */
type Effect = (draft: { restrictions: Restrictions; expiresAt?: string }, value: string) => void;

const invalid = (problem: string) => new GatewayError('invalid-key', { problem });

const set =
  (...flags: readonly Flag[]): Effect =>
  ({ restrictions }) => {
    for (const flag of flags) restrictions[flag] = true;
  };

const permit =
  (permission: Permission): Effect =>
  ({ restrictions }) => {
    delete restrictions[permission];
  };

const collect =
  (list: List, check: (value: string) => void): Effect =>
  ({ restrictions }, value) => {
    check(value);
    const values = [...(restrictions[list] ?? []), value];
    if (values.length > maxPermitPatterns) throw invalid(`a key may have ${maxPermitPatterns} such options.`);
    restrictions[list] = values;
  };

const nothing: Effect = () => {};

/** Without a value. X11 and ~/.ssh/rc do not exist here, so forbidding them changes nothing. */
const flags: ReadonlyMap<string, Effect> = new Map([
  ['restrict', set('noPty', 'noPortForwarding', 'noAgentForwarding')],
  ['no-pty', set('noPty')],
  ['no-port-forwarding', set('noPortForwarding')],
  ['no-agent-forwarding', set('noAgentForwarding')],
  ['no-x11-forwarding', nothing],
  ['no-user-rc', nothing],
  ['pty', permit('noPty')],
  ['port-forwarding', permit('noPortForwarding')],
  ['agent-forwarding', permit('noAgentForwarding')],
  ['no-touch-required', set('noTouchRequired')],
  ['verify-required', set('verifyRequired')],
]);

/** With a value that may stand once, as in sshd. */
const settings: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  [
    'from',
    ({ restrictions }, value) => {
      checkFrom(value);
      restrictions.from = value;
    },
  ],
  [
    'command',
    ({ restrictions }, value) => {
      if (value.trim() === '') throw invalid('the option command="" names no command.');
      if (hasControlCharacters(value)) throw invalid('the command="…" option holds control characters.');
      restrictions.command = value;
    },
  ],
  [
    'expiry-time',
    (draft, value) => {
      draft.expiresAt = parseExpiryTime(value);
    },
  ],
]);

/** With a value, and as often as one likes. */
const lists: ReadonlyMap<string, Effect> = new Map([
  ['permitopen', collect('permitOpen', checkPermitOpen)],
  ['permitlisten', collect('permitListen', checkPermitListen)],
  ['environment', collect('environment', checkEnvironment)],
]);

const reasons: ReadonlyMap<string, string> = new Map([
  ['cert-authority', 'certificate authorities are set by the operator, not by a key'],
  ['principals', 'it belongs to certificate authorities'],
  ['tunnel', 'there are no tunnel devices here'],
  ['user-rc', 'there is no ~/.ssh/rc here'],
  ['x11-forwarding', 'there is no X11 forwarding here'],
]);

/** In order, as sshd applies them: `restrict,pty` allows a terminal, `pty,restrict` does not. Throws invalid-key. */
export function applyOptions(options: readonly KeyOption[]): ParsedOptions {
  const draft: { restrictions: Restrictions; expiresAt?: string } = { restrictions: {} };
  const seen = new Set<string>();
  for (const { name: written, value } of options) {
    const name = written.toLowerCase();
    const effect = value === undefined ? flags.get(name) : (settings.get(name) ?? lists.get(name));
    if (!effect) throw refusal(name);
    if (settings.has(name) && seen.has(name)) throw invalid(`the option ${name} stands there twice.`);
    seen.add(name);
    effect(draft, value ?? '');
  }
  return draft;
}

function refusal(name: string): GatewayError {
  const reason = reasons.get(name);
  if (reason !== undefined) return invalid(`the option ${name} cannot be kept: ${reason}; leave it out.`);
  if (settings.has(name) || lists.has(name)) {
    return invalid(`the option ${name} needs a value: ${name}="…".`);
  }
  if (flags.has(name)) return invalid(`the option ${name} takes no value.`);
  if (name === '') return invalid('this is no public key: one looks like "ssh-ed25519 AAAA… comment".');
  return invalid(`"${excerpt(name)}" is neither a key type nor an option known here; leave it out.`);
}

/** `NAME=value`; which names are let in is the operator's affair (`acceptEnv`). */
function checkEnvironment(value: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}=/.test(value) || hasControlCharacters(value) || value.length > 4096) {
    throw invalid(`the option environment="${excerpt(value)}" is not of the form NAME=value.`);
  }
}

/** `YYYYMMDD[HHMM[SS]][Z]`: in UTC with Z, else in the gateway's own time zone. */
function parseExpiryTime(value: string): string {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/i.exec(value);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (match ?? [])
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const fields = [year, month - 1, day, hour, minute, second] as const;
  const utc = new Date(Date.UTC(...fields));
  // Date.UTC takes the 30th of February for the 2nd of March.
  const exists =
    utc.getUTCMonth() === month - 1 && utc.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!match || !exists) {
    throw invalid(
      `the option expiry-time="${excerpt(value)}" is no time; write it as YYYYMMDD or YYYYMMDDHHMMZ.`,
    );
  }
  return (match[7] === '' ? new Date(...fields) : utc).toISOString();
}
