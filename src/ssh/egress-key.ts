/** The key that the gateway itself logs in to hosts with, where an admin said so: made when it is first needed. */
import { join } from 'node:path';
import { isThere } from '../platform/is-there.ts';
import { type HostKey, loadHostKey, makeEd25519, makeHostKey } from './host-keys.ts';

export type EgressKey = Pick<HostKey, 'privateKey' | 'publicKey' | 'fingerprint'>;

const fileName = 'egress_ed25519_key';

/**
 * What gives the key of `dataDir`, the same each time: private 0600, public beside it. Throws a sentence for a file that
 * others may read or that is no private key.
 */
export function createEgressKey(dataDir: string): () => Promise<EgressKey> {
  const path = join(dataDir, fileName);
  let making: Promise<EgressKey> | undefined;
  const make = async () => {
    if (!(await isThere(path))) await makeHostKey(path, makeEd25519);
    return loadHostKey(path);
  };
  return () => {
    making ??= make().catch((error) => {
      making = undefined;
      throw error;
    });
    return making;
  };
}
