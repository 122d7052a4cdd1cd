/** The options in front of an authorized_keys line, sshd(8): those we keep, and a reason for every other one. */
import type { KeyRestrictions } from '../store/schema.ts';
import { invalidKey } from './decode-key-blob.ts';

interface Draft {
  from?: string;
  command?: string;
  noPty?: boolean;
  noPortForwarding?: boolean;
  noAgentForwarding?: boolean;
  expiresAt?: string;
}

const quoted =
  (apply: (draft: Draft, value: string) => void) => (draft: Draft, value: string | undefined) => {
    if (value === undefined) throw invalidKey('an option in front of this key lacks its value.');
    apply(draft, value);
  };

const kept: ReadonlyMap<string, (draft: Draft, value: string | undefined) => void> = new Map([
  ['from', quoted((draft, value) => Object.assign(draft, { from: value }))],
  ['command', quoted((draft, value) => Object.assign(draft, { command: value }))],
  ['expiry-time', quoted((draft, value) => Object.assign(draft, { expiresAt: parseExpiryTime(value) }))],
  [
    'restrict',
    (draft) => Object.assign(draft, { noPty: true, noPortForwarding: true, noAgentForwarding: true }),
  ],
  ['no-pty', (draft) => Object.assign(draft, { noPty: true })],
  ['no-port-forwarding', (draft) => Object.assign(draft, { noPortForwarding: true })],
  ['no-agent-forwarding', (draft) => Object.assign(draft, { noAgentForwarding: true })],
  ['pty', (draft) => Object.assign(draft, { noPty: false })],
  ['port-forwarding', (draft) => Object.assign(draft, { noPortForwarding: false })],
  ['agent-forwarding', (draft) => Object.assign(draft, { noAgentForwarding: false })],
  // There is neither X11 nor an rc file here: these ask for what is so anyway.
  ['no-x11-forwarding', () => {}],
  ['no-user-rc', () => {}],
]);

export interface ParsedOptions {
  readonly restrictions: KeyRestrictions;
  readonly expiresAt?: string;
  /** What follows the options and the blank after them. */
  readonly rest: string;
}

/** Throws invalid-key for an option that would be lost. */
export function parseOptions(line: string): ParsedOptions {
  const draft: Draft = {};
  let rest = line;
  while (true) {
    const match = /^([A-Za-z0-9-]+)(?:="((?:[^"\\]|\\.)*)")?(,|[ \t]+)/.exec(rest);
    if (!match)
      throw invalidKey(
        'the options in front of this key cannot be read; send the plain line of the .pub file.',
      );
    const [whole, name = '', value, separator = ''] = match;
    const apply = kept.get(name.toLowerCase());
    if (!apply) {
      throw invalidKey(
        `the option "${name.slice(0, 64)}" in front of this key is not kept here; leave it out.`,
      );
    }
    apply(draft, value?.replace(/\\"/g, '"'));
    rest = rest.slice(whole.length);
    if (separator !== ',') break;
  }
  const { expiresAt, ...restrictions } = draft;
  return {
    restrictions: withoutFalse(restrictions),
    rest,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

const withoutFalse = (restrictions: Omit<Draft, 'expiresAt'>): KeyRestrictions =>
  Object.fromEntries(Object.entries(restrictions).filter(([, value]) => value !== false));

/** `YYYYMMDD[HHMM[SS]][Z]`; without Z it is the gateway's local time, as with sshd. */
function parseExpiryTime(text: string): string {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/.exec(text);
  if (!match)
    throw invalidKey(`expiry-time="${text.slice(0, 64)}" is no time; write YYYYMMDD or YYYYMMDDHHMM.`);
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(at)) throw invalidKey(`expiry-time="${text.slice(0, 64)}" is no time of the calendar.`);
  return new Date(at).toISOString();
}
