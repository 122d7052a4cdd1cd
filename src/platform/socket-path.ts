import { join, relative } from 'node:path';

/** Where a unix socket of a folder is: sun_path holds 107 bytes, so of the absolute and the relative path the shorter is taken. */
export function socketPath(folder: string, name: string): string {
  const path = join(folder, name);
  const short = relative(process.cwd(), path);
  return short.length < path.length ? short : path;
}
