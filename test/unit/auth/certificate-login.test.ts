/** Certificates that somebody broke on purpose: each is refused, at the probe and when signed, and none throws. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createAccounts } from '../../../src/accounts/create-accounts.ts';
import { createInvites } from '../../../src/accounts/create-invites.ts';
import { type Authenticator, createAuthenticator, isRefusal } from '../../../src/auth/authenticator.ts';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import type { Identity } from '../../../src/auth/identity.ts';
import { createCertificateAuthorities } from '../../../src/certificate-authorities/create-certificate-authorities.ts';
import { createKeys } from '../../../src/keys/create-keys.ts';
import { parsePublicKeyBlob } from '../../../src/keys/parse-public-key.ts';
import type { Store } from '../../../src/store/store.ts';
import { config } from '../../support/access.ts';
import {
  assemble,
  makeSigner,
  malformedCertificates,
  one,
  soundFields,
  uint32,
  uint64,
} from '../../support/certificate-blobs.ts';
import { field } from '../../support/keys.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { putAccount, startOfTests } from '../../support/people.ts';
import { makeSecurityKey, type SigningTerms, touched, verified } from '../../support/security-key.ts';

const holder = makeSigner();
const authority = makeSigner();
const sound = soundFields(holder, authority);
const source = { address: '192.0.2.7', port: 50123 };
const clock = { nowMs: startOfTests, now: () => clock.nowMs };
const algorithm = 'ssh-ed25519-cert-v01@openssh.com';
const data = Buffer.from('what a session signs');

let authenticator: Authenticator;
let store: Store;

beforeAll(async () => {
  store = createMemoryStore();
  const certificateAuthorities = createCertificateAuthorities({ store, clock });
  authenticator = createAuthenticator({
    accounts: createAccounts({ store, clock }),
    invites: createInvites({ store, clock }),
    keys: createKeys({ store, clock, maxKeysPerAccount: 100 }),
    certificateAuthorities,
    store,
    clock,
  });
  await putAccount(store, 'alice');
  const key = parsePublicKeyBlob(authority.blob);
  await certificateAuthorities.add({ name: 'office', key, principals: ['*'], admins: false, createdBy: 'x' });
});

const probe = (blob: Buffer) => authenticator.probe({ blob, source });
const login = (blob: Buffer, facts: { algorithm?: string; signature?: Buffer } = {}) =>
  authenticator.authenticate({
    blob,
    source,
    algorithm,
    signature: holder.sign(data),
    data,
    ...facts,
  });

describe('a sound certificate put together by hand', () => {
  it('is a way in, and says what it leaves', async () => {
    const blob = assemble(sound, authority);
    expect(await probe(blob)).toBe('known');
    const identity = (await login(blob)) as Identity;
    expect(identity).toMatchObject({
      accountName: 'alice',
      keyId: 'ca:office:42',
      certificate: { keyId: 'by hand', serial: '42', restrictions: { noAgentForwarding: true } },
    });
    expect(identity.certificate?.expiresAt).toBeUndefined();
  });

  it('whatever stands in the reserved field is passed over, and unknown extensions too', async () => {
    const extensions = field(Buffer.concat([one('a@example.com', 'x'), one('permit-pty', '')]));
    const blob = assemble({ ...sound, reserved: field('later'), extensions }, authority);
    expect(await probe(blob)).toBe('known');
  });

  it('addresses of source-address are compared as numbers', async () => {
    const at = (list: string) => {
      const criticalOptions = field(one('source-address', field(list)));
      return probe(assemble({ ...sound, criticalOptions }, authority));
    };
    expect(await at('192.0.2.7')).toBe('known');
    expect(await at('10.0.0.0/8,192.0.2.0/29')).toBe('known');
    expect(await at('192.0.2.8/29')).toMatchObject({ refused: 'source' });
    expect(await at('2001:db8::/32')).toMatchObject({ refused: 'source' });
  });

  it('is good from its first second to the one before its last', async () => {
    const now = BigInt(startOfTests / 1000);
    const from = (validAfter: bigint, validBefore: bigint) =>
      probe(
        assemble({ ...sound, validAfter: uint64(validAfter), validBefore: uint64(validBefore) }, authority),
      );
    expect(await from(now, now + 1n)).toBe('known');
    expect(await from(now + 1n, now + 2n)).toMatchObject({ refused: 'certificate' });
    expect(await from(now - 1n, now)).toMatchObject({ refused: 'certificate' });
    expect(await from(0n, 0xffff_ffff_ffff_fffen)).toBe('known');
  });

  it('for a host it opens nothing', async () => {
    const blob = assemble({ ...sound, kind: uint32(2) }, authority);
    expect(await probe(blob)).toMatchObject({ refused: 'certificate' });
    expect(await login(blob)).toMatchObject({ refused: 'certificate' });
  });
});

describe('malformed certificates', () => {
  const malformed = malformedCertificates(holder, authority);

  it('there are more than forty of them, each another', () => {
    expect(malformed.size).toBeGreaterThan(40);
    expect(new Set([...malformed.values()].map((blob) => blob.toString('hex'))).size).toBe(malformed.size);
  });

  it.each([...malformed])('%s: refused', async (_name, blob) => {
    expect(isRefusal(await probe(blob))).toBe(true);
    expect(isRefusal(await login(blob))).toBe(true);
  });

  it('a bit flipped anywhere: refused', async () => {
    const blob = assemble(sound, authority);
    const passed: number[] = [];
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Buffer.from(blob);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      if (!isRefusal(await probe(flipped))) passed.push(bit);
    }
    expect(passed).toEqual([]);
  });
});

describe('forged session signatures', () => {
  const blob = assemble(sound, authority);
  const raw = holder.sign(data);

  it.each([
    ['by the authority', { signature: authority.sign(data) }],
    ['over something else', { signature: holder.sign(Buffer.from('else')) }],
    ['empty', { signature: Buffer.alloc(0) }],
    ['without its name', { signature: raw.subarray(-64) }],
    ['with a byte after', { signature: Buffer.concat([raw, Buffer.alloc(1)]) }],
    ['under the name of another algorithm', { algorithm: 'rsa-sha2-512-cert-v01@openssh.com' }],
    ['under the plain name', { algorithm: 'ssh-ed25519' }],
    ['under a name nobody knows', { algorithm: 'none-cert-v01@openssh.com' }],
  ])('%s: refused', async (_name, facts) => {
    expect(await login(blob, facts)).toEqual({ refused: 'signature' });
  });
});

describe('the state of this moment', () => {
  it('an identity by certificate is nobody once it has expired, and restricted until then', async () => {
    const validBefore = uint64(BigInt(startOfTests / 1000) + 60n);
    const identity = (await login(assemble({ ...sound, validBefore }, authority))) as Identity;
    const authorizer = createAuthorizer({ store, clock, config });
    expect(await authorizer.principal(identity)).toMatchObject({
      restricted: true,
      account: { name: 'alice' },
    });
    clock.nowMs += 60_000;
    await expect(authorizer.principal(identity)).rejects.toMatchObject({ code: 'not-allowed' });
    clock.nowMs = startOfTests;
  });
});

describe.each(['ed25519', 'ecdsa'] as const)('a certificate of a security key, %s', (kind) => {
  const securityKey = makeSecurityKey(kind);
  const type = securityKey.type.replace('@', '-cert-v01@');
  const certified = (changes: Partial<typeof sound> = {}) =>
    assemble(
      {
        ...sound,
        type: field(type),
        key: securityKey.blob.subarray(4 + securityKey.type.length),
        ...changes,
      },
      authority,
    );
  const signIn = (blob: Buffer, terms: SigningTerms = {}) =>
    login(blob, { algorithm: type, signature: securityKey.sign(data, terms) });
  const extensions = (name: string, value = '') => ({ extensions: field(one(name, value)) });
  const verifyRequired = { criticalOptions: field(one('verify-required', '')) };

  it('lets in whom it names, when the key was touched', async () => {
    expect(await probe(certified())).toBe('known');
    expect(await signIn(certified())).toMatchObject({ accountName: 'alice', certificate: { type } });
    expect(await signIn(certified(), { flags: 0 })).toMatchObject({ refused: 'user presence' });
  });

  it('no-touch-required waives the touch, and takes no value', async () => {
    const waived = certified(extensions('no-touch-required'));
    expect(await signIn(waived, { flags: 0 })).toMatchObject({ accountName: 'alice' });
    const valued = certified(extensions('no-touch-required', 'x'));
    expect(await signIn(valued)).toMatchObject({ refused: 'certificate' });
  });

  it('verify-required demands PIN or finger', async () => {
    const strict = certified(verifyRequired);
    expect(await signIn(strict)).toMatchObject({ refused: 'user verification' });
    expect(await signIn(strict, { flags: touched | verified })).toMatchObject({ accountName: 'alice' });
  });

  it('forged: another key, application, algorithm or data is no signature', async () => {
    const other = makeSecurityKey(kind);
    const blob = certified();
    const attempts = [
      { algorithm: type, signature: other.sign(data) },
      { algorithm: type, signature: securityKey.sign(data, { application: 'https://evil.example' }) },
      { algorithm: type, signature: securityKey.sign(Buffer.from('something else')) },
      { algorithm: securityKey.type, signature: securityKey.sign(data) },
      { algorithm, signature: securityKey.sign(data) },
      { algorithm: type, signature: holder.sign(data) },
    ];
    for (const attempt of attempts) expect(await login(blob, attempt)).toEqual({ refused: 'signature' });
  });

  it('a field of the key too few or too many is no certificate', async () => {
    const key = securityKey.blob.subarray(4 + securityKey.type.length);
    const withoutApplication = key.subarray(0, key.length - 4 - 'ssh:'.length);
    for (const broken of [withoutApplication, Buffer.concat([key, field('ssh:')])]) {
      expect(await probe(certified({ key: broken }))).toMatchObject({ refused: 'certificate' });
    }
  });
});
