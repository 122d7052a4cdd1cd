/** exe1 tokens: short handles for exe0 tokens, of which the store alone yields nothing that can be used. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { TokenRow } from '../store/schema.ts';
import type { Store, Transaction } from '../store/store.ts';

export interface HandleFacts {
  /** Of the key that signed the exe0. */
  readonly keyFingerprint: string;
  /** The exe0's, in Unix seconds. */
  readonly exp?: number | undefined;
  readonly secondFactor?: 'proven' | undefined;
}

export interface Handles {
  /** Keeps `exe0`, encrypted, and returns its `exe1.…`. Throws too-many-tokens, and invalid-token when the key has gone. */
  create(exe0: string, facts: HandleFacts): Promise<string>;
  /** The same inside a transaction. */
  insert(transaction: Transaction, exe0: string, facts: HandleFacts): Promise<string>;
  /** The exe0 behind a handle, not validated; undefined for what is no handle of ours, or whose row was changed. */
  open(handle: string): Promise<{ readonly exe0: string; readonly secondFactor?: 'proven' } | undefined>;
}

/** By its form alone. */
export const isHandle = (text: string) => /^exe1\.[a-z2-7]{32}$/.test(text);

const handleCharacters = 32;
/** Programs that turn an exe0 into a handle at each start must not fill the store. */
const maxPerKey = 1000;
const nonceBytes = 12;
const tagBytes = 16;

export function createHandles({ store, clock }: { readonly store: Store; readonly clock: Clock }): Handles {
  async function insert(transaction: Transaction, exe0: string, facts: HandleFacts): Promise<string> {
    const { keyFingerprint, exp, secondFactor } = facts;
    if (!(await transaction.find('keys', 'fingerprint', keyFingerprint))) {
      throw new GatewayError('invalid-token', {});
    }
    await makeRoom(transaction, keyFingerprint, clock.now());
    const handle = `exe1.${randomId(handleCharacters)}`;
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
    insert,

    async open(handle) {
      if (!isHandle(handle)) return undefined;
      const lookup = lookupOf(handle);
      const row = await store.find('tokens', 'lookup', lookup);
      if (!row || !timingSafeEqual(Buffer.from(row.lookup), Buffer.from(lookup))) return undefined;
      const exe0 = unseal(handle, row);
      if (exe0 === undefined) return undefined;
      return { exe0, ...(row.secondFactor === undefined ? {} : { secondFactor: row.secondFactor }) };
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

/** RFC 5869; two labels, so that what finds a row says nothing of what opens it. */
const derived = (handle: string, label: string) =>
  Buffer.from(hkdfSync('sha256', handle, '', `postern exe1 ${label}`, 32));

const lookupOf = (handle: string) => derived(handle, 'lookup').toString('hex');

/** What stands beside the sealed exe0, and cannot be changed without it. */
const besides = ({ lookup, keyFingerprint, expiresAt, secondFactor }: Omit<TokenRow, 'sealed'>) =>
  Buffer.from(JSON.stringify([lookup, keyFingerprint, expiresAt, secondFactor]));

function seal(handle: string, exe0: string, row: Omit<TokenRow, 'sealed'>): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', derived(handle, 'seal'), nonce);
  cipher.setAAD(besides(row));
  const sealed = Buffer.concat([cipher.update(exe0, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64');
}

/** Undefined when the row is not what was written. */
function unseal(handle: string, row: TokenRow): string | undefined {
  const bytes = Buffer.from(row.sealed, 'base64');
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const nonce = bytes.subarray(0, nonceBytes);
  const decipher = createDecipheriv('aes-256-gcm', derived(handle, 'seal'), nonce, {
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
