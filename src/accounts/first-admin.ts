/** Who is let into a gateway that knows nobody yet. */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { isDatabaseUrl } from '../config/store-url.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import type { KeyToAdd } from '../keys/keys.ts';
import { parseKeysToAdd } from '../keys/parse-keys-to-add.ts';
import type { Clock } from '../platform/clock.ts';
import { systemReason } from '../platform/system-reason.ts';
import type { Accounts, Invites } from './accounts.ts';
import { firstInviteBy } from './first-invite.ts';

/** Of `--admin-key FILE`. Throws invalid-config for a file that cannot be read, or holds not exactly one public key. */
export async function readAdminKey(file: string): Promise<KeyToAdd> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const problem = `the admin key file ${file} cannot be read (${systemReason(cause)}); name a public key file after --admin-key.`;
    throw new GatewayError('invalid-config', { problem }, { cause });
  });
  const added = parseKeysToAdd(text);
  const [first] = added;
  if (first === undefined || added.length > 1) {
    throw new GatewayError('invalid-config', { problem: `${file} must hold exactly one public key.` });
  }
  return first;
}

/** The account `admin` of that file. Throws what `readAdminKey` throws, and invalid-config where account or key is somebody else's. */
export async function ensureAdminOfFile(accounts: Accounts, file: string): Promise<void> {
  await accounts.ensureAdmin(await readAdminKey(file));
}

/**
 * One open invite for each gateway: the code of an earlier start was shown once and cannot be shown again; what another one on
 * the same database has shown is still good.
 */
export async function createFirstInvite(
  invites: Invites,
  { inviteExpiryDays, store, gatewayName }: Pick<Config, 'inviteExpiryDays' | 'store' | 'gatewayName'>,
  clock: Clock,
): Promise<string> {
  const createdBy = firstInviteBy(isDatabaseUrl(store) ? gatewayName : undefined);
  for (const invite of await invites.list()) {
    if (invite.createdBy === createdBy) await invites.revoke(invite.id).catch(unlessGone);
  }
  const expiresAt = new Date(clock.now() + inviteExpiryDays * 86_400_000).toISOString();
  return (await invites.create({ role: 'admin', expiresAt, createdBy })).code;
}

/** Somebody else was quicker. */
function unlessGone(error: unknown): void {
  if (!isGatewayError(error, 'invite-not-found')) throw error;
}
