import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Whether ssh2's native cipher code was built; without it transfers are two to five times slower. */
export function hasNativeCrypto(): boolean {
  return (require('ssh2/lib/protocol/crypto.js') as { bindingAvailable: boolean }).bindingAvailable;
}
