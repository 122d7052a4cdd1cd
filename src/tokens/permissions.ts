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
  ['ctx', (written) => ({ ctx: Buffer.from(written) })],
]);

/** Throws MalformedToken. */
export function parsePermissions(payload: Buffer): Permissions {
  const text = decodeUtf8(payload);
  // Nothing that ends a header or drives a terminal may get to a container by way of ctx.
  if (hasControlCharacter(payload)) throw new MalformedToken('its permissions hold a control character');
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

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new MalformedToken('its permissions are not UTF-8');
  }
}

const hasControlCharacter = (bytes: Buffer) => bytes.some((byte) => byte < 0x20 || byte === 0x7f);

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
