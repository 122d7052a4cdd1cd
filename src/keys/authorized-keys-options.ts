/** The options in front of an authorized_keys line (sshd(8)): those we keep, and why not the others. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { hasControlCharacters } from '../platform/printable.ts';
import type { KeyRestrictions } from '../store/schema.ts';
import { checkFrom } from './from-patterns.ts';

export interface ParsedOptions {
  readonly restrictions: KeyRestrictions;
  /** ISO 8601 in UTC, from `expiry-time`. */
  readonly expiresAt?: string;
}

type Draft = { -readonly [K in keyof KeyRestrictions]: KeyRestrictions[K] };
type Permission = 'noPty' | 'noPortForwarding' | 'noAgentForwarding';

/** An option's effect on what came before it. `value` is what stands in the quotes. */
type Effect = (draft: { restrictions: Draft; expiresAt?: string }, value: string) => void;

const invalid = (problem: string) => new GatewayError('invalid-key', { problem });

const forbid =
  (...permissions: readonly Permission[]): Effect =>
  ({ restrictions }) => {
    for (const permission of permissions) restrictions[permission] = true;
  };

const permit =
  (permission: Permission): Effect =>
  ({ restrictions }) => {
    delete restrictions[permission];
  };

const nothing: Effect = () => {};

/** Without a value. X11 and ~/.ssh/rc do not exist here, so forbidding them changes nothing. */
const flags: ReadonlyMap<string, Effect> = new Map([
  ['restrict', forbid('noPty', 'noPortForwarding', 'noAgentForwarding')],
  ['no-pty', forbid('noPty')],
  ['no-port-forwarding', forbid('noPortForwarding')],
  ['no-agent-forwarding', forbid('noAgentForwarding')],
  ['no-x11-forwarding', nothing],
  ['no-user-rc', nothing],
  ['pty', permit('noPty')],
  ['port-forwarding', permit('noPortForwarding')],
  ['agent-forwarding', permit('noAgentForwarding')],
]);

/** With a value; each may stand once, as in sshd. */
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

const reasons: ReadonlyMap<string, string> = new Map([
  ['cert-authority', 'certificate authorities are set by the operator, not by a key'],
  ['principals', 'it belongs to certificate authorities'],
  ['environment', 'a key sets no environment here'],
  ['permitopen', 'which addresses may be reached is decided by target'],
  ['permitlisten', 'which addresses may be listened on is decided by target'],
  ['tunnel', 'there are no tunnel devices here'],
  ['user-rc', 'there is no ~/.ssh/rc here'],
  ['x11-forwarding', 'there is no X11 forwarding here'],
  ['no-touch-required', 'it belongs to keys on a security token'],
  ['verify-required', 'it belongs to keys on a security token'],
]);

// Inside quotes only \" is special; written so that each text can be read in one way only.
const quotedText = String.raw`"(?:[^"\\]|\\"|\\(?!"))*"`;
const wholeOptions = new RegExp(String.raw`^(?:[^\s"]|${quotedText})*`);
const oneOption = new RegExp(`(?:[^,"]|${quotedText})+`, 'g');
const nameAndValue = new RegExp(`^([A-Za-z0-9@.-]+)(?:=(${quotedText}))?$`);

/** The options, up to the first blank outside quotes, and what follows them. */
export function splitOptions(line: string): [options: string, rest: string] {
  const options = wholeOptions.exec(line)?.[0] ?? '';
  return [options, line.slice(options.length).trim()];
}

/** In order, as sshd applies them: `restrict,pty` allows a terminal, `pty,restrict` does not. Throws invalid-key. */
export function parseOptions(text: string): ParsedOptions {
  const draft: { restrictions: Draft; expiresAt?: string } = { restrictions: {} };
  const seen = new Set<string>();
  const options = text.match(oneOption) ?? [];
  if (options.join(',') !== text) throw invalid('there is a comma too many between the options of this key.');
  for (const option of options) {
    const [, written = '', quoted] = nameAndValue.exec(option) ?? [];
    const name = written.toLowerCase();
    const effect = quoted === undefined ? flags.get(name) : settings.get(name);
    if (!effect) throw refusal(name);
    if (quoted !== undefined && seen.has(name)) throw invalid(`the option ${name} stands there twice.`);
    seen.add(name);
    effect(draft, (quoted ?? '').slice(1, -1).replaceAll('\\"', '"'));
  }
  return draft;
}

function refusal(name: string): GatewayError {
  const reason = reasons.get(name);
  if (reason !== undefined) return invalid(`the option ${name} cannot be kept: ${reason}; leave it out.`);
  if (settings.has(name)) return invalid(`the option ${name} needs a value: ${name}="…".`);
  if (flags.has(name)) return invalid(`the option ${name} takes no value.`);
  if (name === '') return invalid('this is no public key: one looks like "ssh-ed25519 AAAA… comment".');
  return invalid(`"${excerpt(name)}" is neither a key type nor an option known here; leave it out.`);
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
