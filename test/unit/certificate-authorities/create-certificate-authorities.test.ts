import { beforeEach, describe, expect, it } from 'vitest';
import type { CertificateAuthorities } from '../../../src/certificate-authorities/certificate-authorities.ts';
import { createCertificateAuthorities } from '../../../src/certificate-authorities/create-certificate-authorities.ts';
import { covers, isPrincipal } from '../../../src/certificate-authorities/standing.ts';
import { parsePublicKeyBlob } from '../../../src/keys/parse-public-key.ts';
import type { Store } from '../../../src/store/store.ts';
import { makeSigner } from '../../support/certificate-blobs.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { startOfTests } from '../../support/people.ts';
import { accountRow } from '../../support/store-rows.ts';

let store: Store;
let authorities: CertificateAuthorities;
const key = parsePublicKeyBlob(makeSigner().blob);

beforeEach(() => {
  store = createMemoryStore();
  authorities = createCertificateAuthorities({ store, clock: { now: () => startOfTests } });
});

const add = (facts: Partial<Parameters<CertificateAuthorities['add']>[0]> = {}) =>
  authorities.add({ name: 'office', key, principals: ['alice'], admins: false, createdBy: 'x', ...facts });

describe('adding an authority', () => {
  it.each([[[]], [['']], [['Alice']], [['*', 'alice']], [['root;id']]])(
    '%j is no list of accounts',
    async (principals) => {
      await expect(add({ principals })).rejects.toMatchObject({ exitStatus: 2 });
      expect(await authorities.list()).toEqual([]);
    },
  );

  it.each(['', 'Office', '__proto__', 'a b', 'a'.repeat(33), '\x1b[2J'])('%j is no name', async (name) => {
    await expect(add({ name })).rejects.toMatchObject({ code: 'invalid-ca' });
  });

  it('a name or a key that is there is taken, and says by whom', async () => {
    await add();
    const other = parsePublicKeyBlob(makeSigner().blob);
    await expect(add({ key: other })).rejects.toMatchObject({ code: 'ca-taken' });
    await expect(add({ name: 'other' })).rejects.toThrow(/"office"/);
  });

  it('a key on a security token cannot be one: its signatures on certificates are not verified', async () => {
    const token = { ...key, type: 'sk-ssh-ed25519@openssh.com' };
    await expect(add({ key: token })).rejects.toMatchObject({ code: 'invalid-ca' });
  });
});

describe('whom an authority covers', () => {
  const alice = accountRow('1', 'alice');
  const admin = accountRow('2', 'ada', { role: 'admin' });

  it('those listed, or all; admins only when that was said', async () => {
    const listed = await add({ principals: ['alice', 'ada'] });
    expect(covers(listed, alice)).toBe(true);
    expect(covers(listed, accountRow('3', 'bob'))).toBe(false);
    expect(covers(listed, admin)).toBe(false);
    expect(covers({ ...listed, admins: true }, admin)).toBe(true);
    expect(covers({ ...listed, principals: ['*'] }, admin)).toBe(false);
    expect(covers({ ...listed, principals: ['*'], admins: true }, admin)).toBe(true);
    expect(covers({ ...listed, principals: ['alice'], admins: true }, admin)).toBe(false);
  });

  it('names it covers are known, whether the accounts exist or not', async () => {
    await add({ principals: ['alice', 'dora'] });
    expect(await isPrincipal(store, 'dora')).toBe(true);
    expect(await isPrincipal(store, 'bob')).toBe(false);
  });
});

describe('revocation', () => {
  it('numbers count, not how they are written; 64 bits at most', async () => {
    await add();
    const { id } = await authorities.revoke('office', { serial: '0018446744073709551615' }, 'x');
    expect(id).toBe(`${key.fingerprint} serial=18446744073709551615`);
    for (const serial of ['18446744073709551616', '-1', '1e3', '0x10', '', ' 1']) {
      await expect(authorities.revoke('office', { serial }, 'x')).rejects.toMatchObject({
        code: 'invalid-ca',
      });
    }
  });

  it('a key id that looks like a serial is not one', async () => {
    const row = await add();
    await authorities.revoke('office', { keyId: '7' }, 'x');
    await authorities.revoke('office', { serial: '7' }, 'x');
    await authorities.unrevoke('office', { keyId: '7' });
    expect(await authorities.listRevocations(row)).toMatchObject([{ serial: '7' }]);
  });

  it('outlives the removal of its authority', async () => {
    await add();
    await authorities.revoke('office', { serial: '7' }, 'x');
    await authorities.remove('office');
    expect(await authorities.listRevocations(await add({ name: 'again' }))).toHaveLength(1);
  });

  it('of what is not revoked, or of nobody, fails with a sentence', async () => {
    await add();
    const which = { serial: '7' };
    await expect(authorities.unrevoke('office', which)).rejects.toMatchObject({
      code: 'revocation-not-found',
    });
    await expect(authorities.revoke('nobody', which, 'x')).rejects.toMatchObject({ code: 'ca-not-found' });
  });
});
