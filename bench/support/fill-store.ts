/** A data folder with many keys in it, as the gateway itself would have written them. */
import { randomBytes } from 'node:crypto';
import { fingerprintOf } from '../../src/keys/parse-public-key.ts';
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';

const keysPerAccount = 50;
const now = new Date().toISOString();
const blobStart = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');

/** Fifty keys for each account. */
export async function fillStore(dataDir: string, count: number): Promise<void> {
  const store = await openLowdbStore({ dataDir });
  await store.transact(async (transaction) => {
    for (let index = 0; index < count; index++) {
      const accountId = `account${Math.floor(index / keysPerAccount)}`;
      if (index % keysPerAccount === 0) {
        const facts = { role: 'member', disabled: false, createdAt: now, origin: 'operator' } as const;
        await transaction.put('accounts', { id: accountId, name: accountId, ...facts });
      }
      const blob = Buffer.concat([blobStart, randomBytes(32)]);
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
  });
  await store.close();
}
