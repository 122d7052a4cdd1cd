import { expect, it } from 'vitest';
import { createAccounts } from '../../../src/accounts/create-accounts.ts';
import { createInvites } from '../../../src/accounts/create-invites.ts';
import { createAudit } from '../../../src/audit/audit.ts';
import type { PublicKey } from '../../../src/keys/key-types.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import { createJoin } from '../../../src/sessions/join.ts';
import { quickKey } from '../../support/keys.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { startOfTests } from '../../support/people.ts';
import { startSession, terminal } from '../../support/session-io.ts';

async function openInvitation() {
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

it('an empty name at the prompt is asked for again, in words that fit there', async () => {
  const { session, accounts } = await openInvitation();
  await session.saw('[y/N] ');
  session.stdin.write('yes\r');
  await session.saw('be called? ');
  session.stdin.write('  \r');
  await session.saw(/An account needs a name\. Type one[\s\S]*be called\? /);
  session.stdin.write('alice\r');
  expect(await session.end).toEqual({ exitStatus: 0 });
  expect((await accounts.list()).map(({ name }) => name)).toEqual(['alice']);
});

it('nothing but empty names ends it, and makes no account', async () => {
  const { session, accounts } = await openInvitation();
  await session.saw('[y/N] ');
  session.stdin.write('yes\r');
  for (let asked = 1; asked <= 3; asked++) {
    await session.saw(new RegExp(`(be called\\? [^]*){${asked}}`));
    session.stdin.write('\r');
  }
  await expect(session.end).rejects.toMatchObject({ code: 'join-needs-name' });
  expect(await accounts.list()).toEqual([]);
});
