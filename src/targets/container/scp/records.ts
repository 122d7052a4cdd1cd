/** The lines that announce a file, a folder, its end, and times; OpenSSH's scp.c. */
import { ScpEnd } from './conversation.ts';

export interface Times {
  readonly mtime: number;
  readonly atime: number;
}

export type ScpRecord =
  | { readonly kind: 'times'; readonly times: Times }
  | { readonly kind: 'file' | 'folder'; readonly mode: number; readonly size: number; readonly name: string }
  | { readonly kind: 'folder-end' }
  /** The client could not read something, and has said so itself. */
  | { readonly kind: 'warning' };

/** Throws ScpEnd at whatever no client means well with. */
export function parseRecord(line: string): ScpRecord {
  if (line === 'E') return { kind: 'folder-end' };
  if (line.startsWith('\x01')) return { kind: 'warning' };
  if (line.startsWith('\x02')) throw new ScpEnd('');
  const [, mtime, atime] = /^T(\d{1,12}) \d{1,9} (\d{1,12}) \d{1,9}$/.exec(line) ?? [];
  if (mtime !== undefined) return { kind: 'times', times: { mtime: Number(mtime), atime: Number(atime) } };
  const [, letter, mode = '', size, name = ''] = /^([CD])([0-7]{4}) (\d{1,15}) ([\s\S]*)$/.exec(line) ?? [];
  if (letter === undefined) throw new ScpEnd('protocol error: expected control record');
  // CVE-2018-20685 and CVE-2019-6111 are what becomes of a server, or a client, that takes more than a name.
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw new ScpEnd('protocol error: unexpected filename');
  return {
    kind: letter === 'C' ? 'file' : 'folder',
    mode: Number.parseInt(mode, 8),
    size: Number(size),
    name,
  };
}

export const timesLine = ({ mtime, atime }: Times) => `T${mtime} 0 ${atime} 0\n`;

export function recordLine(letter: 'C' | 'D', mode: number, size: number, name: string): string {
  return `${letter}${(mode & 0o7777).toString(8).padStart(4, '0')} ${size} ${encodeName(name)}\n`;
}

/** As vis(3) does it with VIS_NL, which is what clients get from OpenSSH. */
function encodeName(name: string): string {
  return name.includes('\n') ? name.replaceAll('\\', '\\\\').replaceAll('\n', '\\^J') : name;
}
