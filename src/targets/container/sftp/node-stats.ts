/** What Node says of files, as the port has it. */
import type { Stats } from 'node:fs';
import type { FileAttributes } from './file-operations.ts';

/** Node takes names as bytes. */
export const bytesOf = (path: string): Buffer => Buffer.from(path, 'latin1');
export const textOf = (name: Buffer | string): string => Buffer.from(name as Buffer).toString('latin1');

export const attributesOf = ({ size, uid, gid, mode, atimeMs, mtimeMs, nlink }: Stats): FileAttributes => ({
  size,
  uid,
  gid,
  mode,
  atime: Math.floor(atimeMs / 1_000),
  mtime: Math.floor(mtimeMs / 1_000),
  links: nlink,
});
