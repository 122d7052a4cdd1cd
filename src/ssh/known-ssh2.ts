/** The releases of ssh2 that `ssh2-internals.ts` and `client/ssh2-client.ts` were checked against. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const knownVersions = new Set(['1.17.0']);

/** Throws a sentence when ssh2 is none of them. */
export function assertKnownSsh2(): void {
  const { version } = require('ssh2/package.json') as { version: string };
  if (!knownVersions.has(version)) {
    throw new Error(
      `ssh2 ${version} is not known to this version of Postern (known: ${[...knownVersions].join(', ')}); install the one in package-lock.json with "npm ci".`,
    );
  }
}
