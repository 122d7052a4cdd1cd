/** The rules about invites over the store. */
import { createHash } from 'node:crypto';
import { isPrincipal } from '../certificate-authorities/standing.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { insertKeys } from '../keys/insert-keys.ts';
import type { PublicKey } from '../keys/key-types.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { excerpt } from '../platform/excerpt.ts';
import { randomId } from '../platform/ids.ts';
import type { InviteRow } from '../store/schema.ts';
import type { Reader, Store, Transaction } from '../store/store.ts';
import type { Invites } from './accounts.ts';
import { isFirstInvite } from './first-invite.ts';
import { checkAccountName, insertAccount } from './insert-account.ts';
import { isReservedName } from './reserved-names.ts';

export interface InvitesDependencies {
  readonly store: Store;
  readonly clock: Clock;
  /** Whether something outside the store, an owner label for instance, already names an account so. */
  readonly isNameSpokenFor?: (name: string) => Promise<boolean>;
}

/** 130 bits. */
const codeCharacters = 26;
const codePattern = /^[a-z2-7]{26}$/;

const hashOf = (code: string) => createHash('sha256').update(code).digest('hex');

export function createInvites(dependencies: InvitesDependencies): Invites {
  const { store, clock } = dependencies;
  return {
    async create({ role, name, expiresAt, createdBy }) {
      if (name !== undefined) checkAccountName(name);
      const code = randomId(codeCharacters);
      const invite: InviteRow = {
        id: randomId(8),
        codeHash: hashOf(code),
        role,
        ...(name === undefined ? {} : { name }),
        createdBy,
        createdAt: isoTime(clock),
        expiresAt,
      };
      await store.transact(async (transaction) => {
        if (name !== undefined && (await transaction.get('accountNames', name))) {
          throw new GatewayError('account-name-taken', { name });
        }
        await dropExpired(transaction, clock);
        await transaction.put('invites', invite);
      });
      return { invite, code };
    },

    async list() {
      const invites = await store.list('invites');
      const valid = await Promise.all(invites.map((invite) => isValid(store, invite, clock)));
      return invites.filter((_, index) => valid[index]);
    },

    revoke: (idOrCode) =>
      store.transact(async (transaction) => {
        const isCode = codePattern.test(idOrCode);
        const invite = isCode
          ? await transaction.find('invites', 'codeHash', hashOf(idOrCode))
          : await transaction.get('invites', idOrCode);
        // A code that opens nothing here may open something elsewhere: it is not repeated.
        const named = isCode ? 'with this code' : `"${excerpt(idOrCode)}"`;
        if (!invite) throw new GatewayError('invite-not-found', { invite: named });
        await transaction.remove('invites', invite.id);
        return invite;
      }),

    findByCode: (code) => findValid(store, code, clock),

    redeem: (...asked) => redeem(dependencies, ...asked),
  };
}

async function isSpokenFor({ isNameSpokenFor }: InvitesDependencies, name: string): Promise<boolean> {
  try {
    return (await isNameSpokenFor?.(name)) ?? false;
  } catch (cause) {
    throw new GatewayError('name-unchecked', { name }, { cause });
  }
}

async function redeem(
  dependencies: InvitesDependencies,
  ...[code, key, { name, keyName }]: Parameters<Invites['redeem']>
): ReturnType<Invites['redeem']> {
  const { store, clock } = dependencies;
  // Asked before the transaction, which holds everybody else up: it may ask the engine.
  // An admin reaches everything anyway, and the first one may come before there is an engine to ask.
  const known = await findValid(store, code, clock);
  const mustAsk = name !== undefined && known?.role === 'member' && known.name === undefined;
  const spokenFor = mustAsk && (await isSpokenFor(dependencies, checkAccountName(name)));
  return store.transact(async (transaction) => {
    const invite = await findValid(transaction, code, clock);
    if (!invite) throw new GatewayError('invalid-invite', {});
    await refuseMember(transaction, key);
    const chosen = invite.name ?? ownName(name, spokenFor || (await isPrincipal(transaction, name ?? '')));
    const { role } = invite;
    const toMake = { name: chosen, role, origin: 'invite' } as const;
    const account = await insertAccount(transaction, toMake, clock).catch((error: unknown) => {
      if (invite.name === undefined || !isGatewayError(error, 'account-name-taken')) throw error;
      throw new GatewayError('invite-name-taken', { name: invite.name });
    });
    // An invite decides anew about a key that was removed once.
    const options = { readd: true, ...(keyName === undefined ? {} : { name: keyName }) };
    const keys = [{ key, restrictions: {} }];
    const toInsert = { accountId: account.id, keys, options, maxKeysPerAccount: 1, clock };
    const [row] = await insertKeys(transaction, toInsert);
    if (!row) throw new Error('no key was inserted');
    await transaction.remove('invites', invite.id);
    return { account, key: row };
  });
}

async function refuseMember(transaction: Transaction, { fingerprint }: PublicKey): Promise<void> {
  const registered = await transaction.find('keys', 'fingerprint', fingerprint);
  if (!registered) return;
  const account = await transaction.get('accounts', registered.accountId);
  throw new GatewayError('already-member', { account: account?.name ?? '' });
}

/** A name somebody chose for themselves. */
function ownName(name: string | undefined, spokenFor: boolean): string {
  if (name === undefined || name === '') throw new GatewayError('join-needs-name', {});
  if (spokenFor || isReservedName(checkAccountName(name))) {
    throw new GatewayError('account-name-taken', { name: excerpt(name) });
  }
  return name;
}

async function findValid(reader: Reader, code: string, clock: Clock): Promise<InviteRow | undefined> {
  if (!codePattern.test(code)) return undefined;
  const invite = await reader.find('invites', 'codeHash', hashOf(code));
  return invite && (await isValid(reader, invite, clock)) ? invite : undefined;
}

/**
 * An invite is worth no more than whoever made it: an admin disabled, demoted or removed since invites nobody, nor does a gateway
 * that knows somebody. The operator of the machine has no account.
 */
async function isValid(reader: Reader, invite: InviteRow, clock: Clock): Promise<boolean> {
  if (Date.parse(invite.expiresAt) <= clock.now()) return false;
  if (isFirstInvite(invite)) return reader.isEmpty('accounts');
  if (invite.createdBy === 'operator') return true;
  const creator = await reader.get('accounts', invite.createdBy);
  return creator?.role === 'admin' && !creator.disabled;
}

async function dropExpired(transaction: Transaction, clock: Clock): Promise<void> {
  for (const invite of await transaction.list('invites')) {
    if (Date.parse(invite.expiresAt) <= clock.now()) await transaction.remove('invites', invite.id);
  }
}
