import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the tests keep what is dear to make; not in the checkout, so that it outlives it. */
export function cacheFolder(): string {
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'postern-test');
  mkdirSync(folder, { recursive: true });
  return folder;
}
