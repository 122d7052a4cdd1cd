/** The permissions that an exe0 token carries: read strictly, as whoever signs them may be anybody. */
import { MalformedToken } from './malformed-token.ts';
import { scanMembers } from './scan-json.ts';

export interface Permissions {
  /** Unix seconds: refused from that second on. Absent: never. */
  readonly exp?: number;
  /** Unix seconds: refused before it. */
  readonly nbf?: number;
  /** Names of commands. Absent: `defaultCommands`. */
  readonly cmds?: readonly string[];
  /** JSON, byte for byte as signed. */
  readonly ctx?: Buffer;
}

export type PermissionsToSign = { readonly [Field in keyof Permissions]: Permissions[Field] | undefined };

/** What a token that names no commands may run. */
export const defaultCommands: readonly string[] = [
  'help',
  'ls',
  'new',
  'whoami',
  'ssh-key list',
  'share show',
  'exe0-to-exe1',
];

/** 2000-01-01 and 2100-01-01, inclusive. */
export const earliestTime = 946_684_800;
export const latestTime = 4_102_444_800;

type Reader = (written: string, value: unknown) => Permissions;

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['exp', (written) => ({ exp: readTime(written) })],
  ['nbf', (written) => ({ nbf: readTime(written) })],
  ['cmds', (_written, value) => ({ cmds: readCommands(value) })],
  ['ctx', (written) => ({ ctx: readContext(written) })],
]);

/** Throws MalformedToken. */
export function parsePermissions(payload: Buffer): Permissions {
  const text = decodeUtf8(payload);
  if (/[\r\n\0]/.test(text)) throw new MalformedToken('its permissions hold a CR, LF or NUL');
  if (!text.startsWith('{') || !text.endsWith('}')) {
    throw new MalformedToken('its permissions are not one JSON object and nothing else');
  }
  const values = parseJson(text);
  let permissions: Permissions = {};
  for (const [name, written] of scanMembers(text)) {
    const read = readers.get(name);
    if (!read) throw new MalformedToken('its permissions have a member that is not known');
    permissions = { ...permissions, ...read(written, values[name]) };
  }
  return permissions;
}

/** What to sign; `ctx` is JSON, passed on as it is. Throws MalformedToken for what `parsePermissions` refuses. */
export function formatPermissions({ exp, nbf, cmds, ctx }: PermissionsToSign): Buffer {
  // By itself: `1,"exp":2` would be two members.
  if (ctx !== undefined) parseJson(decodeUtf8(ctx));
  const members = { exp: exp?.toString(), nbf: nbf?.toString(), cmds: cmds && JSON.stringify(cmds), ctx };
  const written = Object.entries(members).flatMap(([name, value]) =>
    value === undefined ? [] : [`"${name}":${value}`],
  );
  const payload = Buffer.from(`{${written.join(',')}}`);
  parsePermissions(payload);
  return payload;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new MalformedToken('its permissions are not UTF-8');
  }
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new MalformedToken('its permissions are not JSON');
  }
}

/** As written: `1e9` and `1.0` are numbers to JSON, but not to everybody who reads a token. */
function readTime(written: string): number {
  const time = /^[1-9]\d{8,9}$/.test(written) ? Number(written) : Number.NaN;
  if (time >= earliestTime && time <= latestTime) return time;
  throw new MalformedToken('its exp or nbf is no time between 2000 and 2100 in whole seconds');
}

function readCommands(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw new MalformedToken('its cmds are not an array of strings');
}

/** It becomes a header for the container's server. */
function readContext(written: string): Buffer {
  if (/[\0-\x1f\x7f]/.test(written)) throw new MalformedToken('its ctx holds a control character');
  return Buffer.from(written);
}
