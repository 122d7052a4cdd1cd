/** An invite, and somebody who is asked whether to join with it, at a terminal. */
import { createAccounts } from '../../src/accounts/create-accounts.ts';
import { createInvites } from '../../src/accounts/create-invites.ts';
import { createAudit } from '../../src/audit/audit.ts';
import type { PublicKey } from '../../src/keys/key-types.ts';
import { parseKeysToAdd } from '../../src/keys/parse-keys-to-add.ts';
import { createJoin } from '../../src/sessions/join.ts';
import { quickKey } from './keys.ts';
import { createMemoryStore } from './memory-store.ts';
import { startOfTests } from './people.ts';
import { startSession, terminal } from './session-io.ts';

export async function openInvitation() {
  const clock = { now: () => startOfTests };
  const store = createMemoryStore();
  const invites = createInvites({ store, clock });
  const expiresAt = new Date(startOfTests + 60_000).toISOString();
  const { code } = await invites.create({ role: 'member', expiresAt, createdBy: 'gateway' });
  const audit = createAudit();
  const join = createJoin({ invites, audit, endpoint: () => ({ host: 'gw', port: 2222, hostKeys: [] }) });
  const key = parseKeysToAdd(quickKey())[0]?.key as PublicKey;
  const applicant = { code, key, source: { address: '192.0.2.7', port: 50123 } };
  const session = startSession(
    (request, io) => join(applicant, request, io),
    { kind: 'shell' },
    { pty: terminal() },
  );
  return { session, accounts: createAccounts({ store, clock }) };
}
