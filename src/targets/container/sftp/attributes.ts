/** ATTRS of the draft, §5, and the line of `ls -l` that clients print. */
import type { FileAttributes } from './file-operations.ts';
import { type Field, type FieldReader, MalformedMessage, uint32, uint64 } from './messages.ts';

const flags = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x80000000 } as const;
const maxExtensions = 64;

/** Throws MalformedMessage. Extended attributes are read over. */
export function readAttributes(reader: FieldReader): Partial<FileAttributes> {
  const present = reader.readUInt32();
  const size = present & flags.size ? { size: reader.readUInt64() } : {};
  const owner = present & flags.owner ? { uid: reader.readUInt32(), gid: reader.readUInt32() } : {};
  const permissions = present & flags.permissions ? { mode: reader.readUInt32() } : {};
  const times = present & flags.times ? { atime: reader.readUInt32(), mtime: reader.readUInt32() } : {};
  const extensions = present & flags.extended ? reader.readUInt32() : 0;
  if (extensions > maxExtensions) throw new MalformedMessage('too many extended attributes');
  for (let n = 0; n < 2 * extensions; n++) reader.readString();
  return { ...size, ...owner, ...permissions, ...times };
}

export function attributesField(attributes: FileAttributes): Field {
  return Buffer.concat([
    uint32(flags.size | flags.owner | flags.permissions | flags.times),
    uint64(attributes.size),
    uint32(attributes.uid),
    uint32(attributes.gid),
    uint32(attributes.mode),
    uint32(attributes.atime),
    uint32(attributes.mtime),
  ]);
}

const typeLetters = new Map([
  [0o140000, 's'],
  [0o120000, 'l'],
  [0o100000, '-'],
  [0o060000, 'b'],
  [0o040000, 'd'],
  [0o020000, 'c'],
  [0o010000, 'p'],
]);
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const halfAYearMs = 182 * 86_400_000;

/** As `ls -l` prints it; `name` is latin1, and stays so. */
export function longName(name: string, attributes: FileAttributes, nowMs = Date.now()): string {
  const { mode, links, uid, gid, size, mtime } = attributes;
  const triplet = (shift: number, special: number, letter: string) => {
    const bits = (mode >> shift) & 7;
    const runs = bits & 1 ? (mode & special ? letter : 'x') : mode & special ? letter.toUpperCase() : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${runs}`;
  };
  const type = typeLetters.get(mode & 0o170000) ?? '?';
  const letters = `${type}${triplet(6, 0o4000, 's')}${triplet(3, 0o2000, 's')}${triplet(0, 0o1000, 't')}`;
  const when = new Date(mtime * 1_000);
  const isRecent = Math.abs(nowMs - when.getTime()) < halfAYearMs;
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = isRecent
    ? `${two(when.getUTCHours())}:${two(when.getUTCMinutes())}`
    : ` ${when.getUTCFullYear()}`;
  const date = `${months[when.getUTCMonth()]} ${String(when.getUTCDate()).padStart(2)} ${clock}`;
  const owner = `${String(uid).padEnd(8)} ${String(gid).padEnd(8)}`;
  return `${letters} ${String(links).padStart(4)} ${owner} ${String(size).padStart(10)} ${date} ${name}`;
}
