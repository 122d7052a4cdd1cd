/** Logging in with OpenSSH user certificates: the real ssh-keygen -s, the real ssh, the real gateway. */
import { describe, expect, it } from 'vitest';
import { certify, makeCertificate } from '../support/certificates.ts';
import { startCertifiedGateway } from '../support/certified-gateway.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { makeKeyPair } from '../support/ssh-client.ts';

const gateway = forAllTests(startCertifiedGateway, ({ door }) => door.stop());
const member = 'alice';

describe('a user certificate of a trusted authority logs in', () => {
  it.each([
    ['ed25519', []],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
    ['rsa', ['-b', '2048']],
  ])('of a key %s %j', async (type, extra) => {
    const key = await certify(gateway.authority, await makeKeyPair(type, extra), {
      principals: member,
      keyId: `her ${type}`,
      serial: '18446744073709551615',
    });
    const outcome = await gateway.whoami(key);
    expect(outcome.stderr).toBe('');
    expect(outcome.text).toContain('Account: alice');
    expect(outcome.text).toContain(
      `Certificate: "her ${type}", serial 18446744073709551615, signed by office`,
    );
    expect(outcome.text).not.toContain('* the key of this connection');
    const accepted = gateway.door.logged().findLast((line) => line['audit'] === 'login-accepted');
    expect(accepted).toMatchObject({
      account: 'alice',
      fingerprint: key.fingerprint,
      certificate: { ca: 'office', serial: '18446744073709551615', keyId: `her ${type}` },
    });
  });

  it.each([
    ['ecdsa', ['-b', '256'], undefined],
    ['ecdsa', ['-b', '521'], undefined],
    ['rsa', ['-b', '3072'], 'rsa-sha2-256'],
    ['rsa', ['-b', '3072'], 'rsa-sha2-512'],
  ])('of an authority %s %j %s', async (type, extra, signedWith) => {
    const other = await makeKeyPair(type, extra);
    await gateway.door.ssh(`ca add other-one --principals-from='*'`, { stdin: other.publicKey });
    const key = await makeCertificate(other, {
      principals: 'carol',
      ...(signedWith ? { signedWith } : {}),
    });
    const outcome = await gateway.whoami(key);
    expect(outcome.text).toContain('Account: carol');
    expect((await gateway.door.ssh('ca remove other-one')).status).toBe(0);
  });

  it('rsa with rsa-sha2-256 too, and never with SHA-1', async () => {
    const key = await certify(gateway.authority, await makeKeyPair('rsa', ['-b', '2048']), {
      principals: member,
    });
    const using = (algorithm: string) =>
      gateway.whoami(key, { args: ['-o', `PubkeyAcceptedAlgorithms=${algorithm}-cert-v01@openssh.com`] });
    expect((await using('rsa-sha2-256')).status).toBe(0);
    expect((await using('rsa-sha2-512')).status).toBe(0);
    expect((await using('ssh-rsa')).status).toBe(255);
  });

  it('whoami and session list show it, also as JSON', async () => {
    const key = await makeCertificate(gateway.authority, {
      principals: member,
      validity: '-1m:+1h',
      serial: '5',
    });
    const data = JSON.parse((await gateway.door.ssh('whoami --json', { key })).text);
    expect(data.certificate).toMatchObject({ key_id: 'a key id', serial: '5', ca: 'office' });
    expect(Date.parse(data.certificate.expires_at)).toBeGreaterThan(Date.now());
    expect(data.ssh_keys.map(({ current }: { current: boolean }) => current)).toEqual([false]);
    const sessions = JSON.parse((await gateway.door.ssh('session list --json', { key })).text);
    expect(sessions.sessions).toEqual([expect.objectContaining({ account: 'alice', current: true })]);
  });

  it('a key id says nothing but itself: no line of its own, nothing for a terminal', async () => {
    const keyId = 'x\nRole: admin\n\x1b[2J';
    const outcome = await gateway.whoami(
      await makeCertificate(gateway.authority, { principals: member, keyId }),
    );
    expect(outcome.text).toContain('Role: member');
    expect(outcome.text).not.toMatch(/^Role: admin/m);
    expect(outcome.text).not.toContain('\x1b');
    const accepted = gateway.door.logged().findLast((line) => line['audit'] === 'login-accepted');
    expect(accepted?.['certificate']).toMatchObject({ keyId: 'x\\x0aRole: admin\\x0a\\x1b[2J' });
  });

  it('a key that is registered as well still logs in by itself', async () => {
    const plain = await makeKeyPair();
    await gateway.door.ssh('account add-key bob', { stdin: plain.publicKey });
    const both = await certify(gateway.authority, plain, { principals: member });
    const onlyCertificates = { args: ['-o', 'PubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com'] };
    expect((await gateway.whoami(both, onlyCertificates)).text).toContain('Account: alice');
    expect((await gateway.whoami(plain)).text).toContain('Account: bob');
    const expired = await certify(gateway.authority, plain, { principals: member, validity: '-2h:-1h' });
    expect((await gateway.whoami(expired)).text).toContain('Account: bob');
  });
});

describe('what a certificate leaves', () => {
  it('source-address lets in from these addresses alone', async () => {
    const elsewhere = ['source-address=192.0.2.0/24,2001:db8::/32'];
    const key = await makeCertificate(gateway.authority, { principals: member, options: elsewhere });
    await gateway.expectRefused(key, 'this certificate is not good from your address.');
    const here = await makeCertificate(gateway.authority, {
      principals: member,
      options: ['source-address=192.0.2.0/24,127.0.0.0/8'],
    });
    expect((await gateway.whoami(here)).status).toBe(0);
  });

  it('force-command runs in the place of what was asked', async () => {
    const key = await makeCertificate(gateway.authority, {
      principals: member,
      options: ['force-command=version'],
    });
    const outcome = await gateway.door.ssh('whoami', { key });
    expect(outcome.text).not.toContain('Account');
    expect(outcome.text).toBe((await gateway.door.ssh('version')).text);
  });

  it('without permit-pty there is no terminal', async () => {
    const key = await makeCertificate(gateway.authority, { principals: member, options: ['no-pty'] });
    const refused = await gateway.door.ssh('whoami', { key, args: ['-tt'] });
    expect(refused.text + refused.stderr).toContain('a terminal is not allowed here');
    expect(refused.status).toBe(255);
    expect((await gateway.whoami(key)).status).toBe(0);
  });

  it('a certificate that expires, or forbids something, changes no keys: it would outlive itself', async () => {
    const mine = (await makeKeyPair()).publicKey;
    for (const terms of [{ validity: '+1h' }, { options: ['no-port-forwarding'] }, { options: ['clear'] }]) {
      const key = await makeCertificate(gateway.authority, { principals: member, ...terms });
      const outcome = await gateway.door.ssh('ssh-key add', { key, stdin: mine });
      expect(outcome.stderr).toContain('restricted');
      expect(outcome.status).toBe(1);
    }
  });
});
