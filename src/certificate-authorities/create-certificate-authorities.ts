/** The rules about certificate authorities over the store. */
import { checkAccountName } from '../accounts/insert-account.ts';
import { GatewayError } from '../errors.ts';
import type { PublicKey } from '../keys/key-types.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { excerpt } from '../platform/excerpt.ts';
import { randomId } from '../platform/ids.ts';
import type { CaRow, RevocationRow } from '../store/schema.ts';
import type { Reader, Store } from '../store/store.ts';
import type { CertificateAuthorities, Revocable } from './certificate-authorities.ts';
import { everyAccount, revocationId } from './standing.ts';

const maxPrincipals = 1_000;
const maxKeyIdBytes = 4 * 1024;
const maxSerial = 0xffff_ffff_ffff_ffffn;

interface CertificateAuthoritiesDependencies {
  readonly store: Store;
  readonly clock: Clock;
}

export function createCertificateAuthorities({
  store,
  clock,
}: CertificateAuthoritiesDependencies): CertificateAuthorities {
  return {
    add: ({ name, key, principals, admins, createdBy }) =>
      store.transact(async (transaction) => {
        const row: CaRow = {
          id: randomId(),
          name: checkName(name),
          fingerprint: checkKey(key).fingerprint,
          publicKey: key.line,
          principals: checkPrincipals(principals),
          admins,
          createdBy,
          createdAt: isoTime(clock),
        };
        const same =
          (await transaction.find('cas', 'name', name)) ??
          (await transaction.find('cas', 'fingerprint', key.fingerprint));
        if (same) throw new GatewayError('ca-taken', { ca: same.name });
        await transaction.put('cas', row);
        return row;
      }),

    list: () => store.list('cas'),
    getByName: (name) => getAuthority(store, name),
    findByFingerprint: (fingerprint) => store.find('cas', 'fingerprint', fingerprint),

    remove: (name) =>
      store.transact(async (transaction) => {
        const authority = await getAuthority(transaction, name);
        await transaction.remove('cas', authority.id);
        return authority;
      }),

    ...revocationRules({ store, clock }),
  };
}

function revocationRules({
  store,
  clock,
}: CertificateAuthoritiesDependencies): Pick<
  CertificateAuthorities,
  'listRevocations' | 'revoke' | 'unrevoke'
> {
  return {
    listRevocations: ({ fingerprint }) => store.list('revocations', 'authority', fingerprint),

    revoke: (name, which, createdBy) =>
      store.transact(async (transaction) => {
        const { fingerprint } = await getAuthority(transaction, name);
        const checked = checkRevocable(which);
        const id = revocationId(fingerprint, checked);
        const there = await transaction.get('revocations', id);
        if (there) return there;
        const createdAt = isoTime(clock);
        const row: RevocationRow = { id, authority: fingerprint, ...checked, createdBy, createdAt };
        await transaction.put('revocations', row);
        return row;
      }),

    unrevoke: (name, which) =>
      store.transact(async (transaction) => {
        const { fingerprint } = await getAuthority(transaction, name);
        const checked = checkRevocable(which);
        const row = await transaction.get('revocations', revocationId(fingerprint, checked));
        if (!row) throw new GatewayError('revocation-not-found', { ca: name });
        await transaction.remove('revocations', row.id);
        return row;
      }),
  };
}

async function getAuthority(reader: Reader, name: string): Promise<CaRow> {
  const authority = await reader.find('cas', 'name', name);
  if (!authority) throw new GatewayError('ca-not-found', { ca: excerpt(name) });
  return authority;
}

const invalid = (problem: string) => new GatewayError('invalid-ca', { problem });

function checkName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name)) return name;
  throw invalid(
    `"${excerpt(name)}" cannot name an authority: use a lower-case letter, then up to 31 lower-case letters, digits and hyphens.`,
  );
}

/** Signatures of security tokens are not verified on certificates. */
function checkKey(key: PublicKey): PublicKey {
  if (/^(ssh|ecdsa)-/.test(key.type)) return key;
  throw invalid(`a key of type ${key.type} cannot be an authority here; use an ed25519 key.`);
}

function checkPrincipals(principals: readonly string[]): readonly string[] {
  const unique = [...new Set(principals)];
  if (unique.length === 0) throw invalid('name at least one account in --principals-from.');
  if (unique.length > maxPrincipals) {
    throw invalid(`--principals-from may name ${maxPrincipals} accounts; "*" means all of them.`);
  }
  if (unique.includes(everyAccount)) {
    if (unique.length > 1) throw invalid('"*" in --principals-from stands alone: it means every account.');
    return unique;
  }
  return unique.map(checkAccountName);
}

/** Numbers in their one decimal form, so that `007` revokes what `7` does. */
function checkRevocable(which: Revocable): Revocable {
  if ('serial' in which) {
    const serial = /^\d{1,32}$/.test(which.serial) ? BigInt(which.serial) : undefined;
    if (serial === undefined || serial > maxSerial) {
      throw invalid(
        `--serial=${excerpt(which.serial)} is no serial number: use digits, as ssh-keygen -z does.`,
      );
    }
    return { serial: String(serial) };
  }
  if (which.keyId === '' || Buffer.byteLength(which.keyId) > maxKeyIdBytes) {
    throw invalid('--key-id takes the text that ssh-keygen -I was given.');
  }
  return which;
}
