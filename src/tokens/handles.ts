/** exe1 tokens: short handles for exe0 tokens, of which the store alone yields nothing that can be used. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { idOf, randomId } from '../platform/ids.ts';
import type { TokenRow } from '../store/schema.ts';
import type { Store, Transaction } from '../store/store.ts';

export interface HandleFacts {
  /** Of the key that signed the exe0. */
  readonly keyFingerprint: string;
  /** Unix seconds: the handle is good for nothing from then on. The exe0's, or sooner. */
  readonly exp?: number | undefined;
  readonly secondFactor?: 'proven' | undefined;
}

export interface Handles {
  /** Keeps `exe0`, encrypted, and returns its `exe1.…`. Throws too-many-tokens, and invalid-token when the key has gone. */
  create(exe0: string, facts: HandleFacts): Promise<string>;
  /** The same inside a transaction. */
  insert(transaction: Transaction, exe0: string, facts: HandleFacts): Promise<string>;
  /** The same for a handle that follows from `token` and `exp`: asked for again, it is the same one. */
  derive(token: string, exe0: string, facts: HandleFacts & { readonly exp: number }): Promise<string>;
  /**
   * What is behind a handle; neither the exe0 nor `exp` is validated. Undefined for what is no handle of ours, or
   * whose row was changed.
   */
  open(handle: string): Promise<OpenedHandle | undefined>;
}

export interface OpenedHandle extends Pick<HandleFacts, 'exp' | 'secondFactor'> {
  readonly exe0: string;
}

/** By its form alone. */
export const isHandle = (text: string) => /^exe1\.[a-z2-7]{32}$/.test(text);

const handleCharacters = 32;
/** Programs that turn an exe0 into a handle at each start must not fill the store. */
const maxPerKey = 1000;
const nonceBytes = 12;
const tagBytes = 16;

export function createHandles({ store, clock }: { readonly store: Store; readonly clock: Clock }): Handles {
  async function insert(
    transaction: Transaction,
    exe0: string,
    { keyFingerprint, exp, secondFactor }: HandleFacts,
    handle = `exe1.${randomId(handleCharacters)}`,
  ): Promise<string> {
    if (!(await transaction.find('keys', 'fingerprint', keyFingerprint))) {
      throw new GatewayError('invalid-token', {});
    }
    await makeRoom(transaction, keyFingerprint, clock.now());
    const row = {
      id: randomId(),
      lookup: lookupOf(handle),
      keyFingerprint,
      ...(exp === undefined ? {} : { expiresAt: new Date(exp * 1000).toISOString() }),
      createdAt: isoTime(clock),
      ...(secondFactor === undefined ? {} : { secondFactor }),
    };
    await transaction.put('tokens', { ...row, sealed: seal(handle, exe0, row) });
    return handle;
  }

  return {
    create: (exe0, facts) => store.transact((transaction) => insert(transaction, exe0, facts)),
    insert: (transaction, exe0, facts) => insert(transaction, exe0, facts),

    async derive(token, exe0, facts) {
      const handle = `exe1.${idOf(derivedFrom(token, `exchange ${facts.exp}`))}`;
      return store.transact(async (transaction) => {
        const known = await transaction.find('tokens', 'lookup', lookupOf(handle));
        return known ? handle : insert(transaction, exe0, facts, handle);
      });
    },

    async open(handle) {
      if (!isHandle(handle)) return undefined;
      const lookup = lookupOf(handle);
      const row = await store.find('tokens', 'lookup', lookup);
      if (!row || !timingSafeEqual(Buffer.from(row.lookup), Buffer.from(lookup))) return undefined;
      const exe0 = unseal(handle, row);
      if (exe0 === undefined) return undefined;
      const { expiresAt, secondFactor } = row;
      return { exe0, exp: expiresAt === undefined ? undefined : Date.parse(expiresAt) / 1000, secondFactor };
    },
  };
}

/** Expired ones go when one is added. */
async function makeRoom(transaction: Transaction, keyFingerprint: string, now: number): Promise<void> {
  const rows = await transaction.list('tokens', 'keyFingerprint', keyFingerprint);
  const expired = rows.filter(({ expiresAt }) => expiresAt !== undefined && Date.parse(expiresAt) <= now);
  for (const { id } of expired) await transaction.remove('tokens', id);
  if (rows.length - expired.length >= maxPerKey)
    throw new GatewayError('too-many-tokens', { limit: maxPerKey });
}

/** 32 bytes that only a token's holder can know (RFC 5869). What finds a row says nothing of what opens it. */
export const derivedFrom = (token: string, label: string) =>
  Buffer.from(hkdfSync('sha256', token, '', `postern exe1 ${label}`, 32));

const lookupOf = (handle: string) => derivedFrom(handle, 'lookup').toString('hex');

/** What stands beside the sealed exe0, and cannot be changed without it. */
const besides = ({ lookup, keyFingerprint, expiresAt, secondFactor }: Omit<TokenRow, 'sealed'>) =>
  Buffer.from(JSON.stringify([lookup, keyFingerprint, expiresAt, secondFactor]));

function seal(handle: string, exe0: string, row: Omit<TokenRow, 'sealed'>): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', derivedFrom(handle, 'seal'), nonce);
  cipher.setAAD(besides(row));
  const sealed = Buffer.concat([cipher.update(exe0, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64');
}

/** Undefined when the row is not what was written. */
function unseal(handle: string, row: TokenRow): string | undefined {
  const bytes = Buffer.from(row.sealed, 'base64');
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const nonce = bytes.subarray(0, nonceBytes);
  const decipher = createDecipheriv('aes-256-gcm', derivedFrom(handle, 'seal'), nonce, {
    authTagLength: tagBytes,
  });
  decipher.setAAD(besides(row));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
