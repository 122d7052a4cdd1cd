/** Stores with many keys in them, as the gateway itself would have written them. */
import { randomBytes } from 'node:crypto';
import { fingerprintOf } from '../../src/keys/parse-public-key.ts';
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import type { Store } from '../../src/store/store.ts';

const keysPerAccount = 50;
const now = new Date().toISOString();
const blobStart = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');

/** An ssh-ed25519 key with these 32 bytes, as it comes off the wire. */
export const ed25519Blob = (point: Buffer): Buffer => Buffer.concat([blobStart, point]);

/** A data folder with so many keys, fifty for each account. */
export async function fillStore(dataDir: string, count: number): Promise<void> {
  const store = await openLowdbStore({ dataDir });
  await putKeys(store, count);
  await store.close();
}

/** Fifty for each account; resolves to their blobs. */
export function putKeys(store: Store, count: number): Promise<Buffer[]> {
  return store.transact(async (transaction) => {
    const blobs: Buffer[] = [];
    for (let index = 0; index < count; index++) {
      const accountId = `account${Math.floor(index / keysPerAccount)}`;
      if (index % keysPerAccount === 0) {
        const facts = { role: 'member', disabled: false, createdAt: now, origin: 'operator' } as const;
        await transaction.put('accounts', { id: accountId, name: accountId, ...facts });
      }
      const blob = ed25519Blob(randomBytes(32));
      blobs.push(blob);
      await transaction.put('keys', {
        id: `key${index}`,
        accountId,
        name: `somebody@laptop-${index}`,
        fingerprint: fingerprintOf(blob),
        publicKey: `ssh-ed25519 ${blob.toString('base64')}`,
        keyType: 'ssh-ed25519',
        kind: 'user',
        createdAt: now,
        restrictions: {},
      });
    }
    return blobs;
  });
}
