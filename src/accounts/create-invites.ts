import { createHash } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { newRow } from '../keys/create-keys.ts';
import { isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { InviteRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import { checkAccountName, isReservedName } from './account-names.ts';
import type { Invites } from './accounts.ts';
import { type AccountsDependencies, putAccount } from './create-accounts.ts';

/** 32 characters of five random bits each: 160 bits. */
const codeLength = 32;

export function createInvites({ store, clock }: AccountsDependencies): Invites {
  const isValid = (invite: InviteRow) => Date.parse(invite.expiresAt) > clock.now();
  const findValid = async (reader: Reader, code: string) => {
    const invite = await reader.find('invites', 'codeHash', hashOf(code));
    return invite && isValid(invite) ? invite : undefined;
  };

  return {
    create: ({ role, name, expiresAt, createdBy }) =>
      store.transact(async (transaction) => {
        if (name !== undefined) {
          checkAccountName(name);
          if (await transaction.get('accountNames', name))
            throw new GatewayError('account-name-taken', { name });
        }
        const code = randomId(codeLength);
        const invite: InviteRow = {
          id: randomId(8),
          codeHash: hashOf(code),
          role,
          createdBy,
          createdAt: isoTime(clock),
          expiresAt,
          ...(name === undefined ? {} : { name }),
        };
        await transaction.put('invites', invite);
        return { invite, code };
      }),

    list: async () => (await store.list('invites')).filter(isValid),

    revoke: (id) =>
      store.transact(async (transaction) => {
        const invite = await transaction.get('invites', id);
        if (!invite) throw new GatewayError('invite-not-found', { invite: id.slice(0, 64) });
        await transaction.remove('invites', id);
        return invite;
      }),

    findByCode: (code) => findValid(store, code),

    redeem: (code, key, options) =>
      store.transact(async (transaction) => {
        const invite = await findValid(transaction, code);
        if (!invite) throw new GatewayError('invalid-invite', {});
        const registered = await transaction.find('keys', 'fingerprint', key.fingerprint);
        if (registered) {
          const owner = await transaction.get('accounts', registered.accountId);
          throw new GatewayError('already-member', { account: owner?.name ?? '' });
        }
        const name = invite.name ?? options.name;
        if (name === undefined) throw new GatewayError('join-needs-name', {});
        if (invite.name === undefined && isReservedName(name))
          throw new GatewayError('account-name-taken', { name });
        const createdAt = isoTime(clock);
        const account = await putAccount(
          transaction,
          { name, role: invite.role, origin: 'invite' },
          createdAt,
        );
        const toAdd = { key, restrictions: {} };
        const keyOptions = options.keyName === undefined ? {} : { name: options.keyName };
        // Somebody proved just now that they hold it: that is the decision which adding it again asks for.
        const row = await newRow(transaction, account.id, toAdd, { ...keyOptions, readd: true }, createdAt);
        await transaction.put('keys', row);
        await transaction.remove('keyTombstones', row.fingerprint);
        await transaction.remove('invites', invite.id);
        return { account, key: row };
      }),
  };
}

const hashOf = (code: string) => createHash('sha256').update(code).digest('hex');
