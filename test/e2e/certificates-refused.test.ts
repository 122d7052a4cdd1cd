/** User certificates that are no way in, made by the real ssh-keygen and offered by the real ssh. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { certificateBlob, certify, makeCertificate } from '../support/certificates.ts';
import { startCertifiedGateway } from '../support/certified-gateway.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { makeKeyPair } from '../support/ssh-client.ts';

const gateway = forAllTests(startCertifiedGateway, ({ door }) => door.stop());
const member = 'alice';

describe('certificates that are refused', () => {
  it('expired', async () => {
    const key = await makeCertificate(gateway.authority, { principals: member, validity: '-2h:-1h' });
    await gateway.expectRefused(key, 'this certificate expired at ');
  });

  it('not yet valid', async () => {
    const key = await makeCertificate(gateway.authority, { principals: member, validity: '+1h:+2h' });
    await gateway.expectRefused(key, 'this certificate is not valid yet.');
  });

  it('no principal names an account', async () => {
    await gateway.expectRefused(
      await makeCertificate(gateway.authority, { principals: 'nobody-here,Alice' }),
      "none of this certificate's principals names an account here.",
    );
    await gateway.expectRefused(
      await makeCertificate(gateway.authority, { principals: '' }),
      "none of this certificate's principals names an account here.",
    );
  });

  it('two principals name accounts, even if the authority covers one of them only', async () => {
    const sentence = "more than one of this certificate's principals names an account here.";
    await gateway.expectRefused(
      await makeCertificate(gateway.authority, { principals: 'alice,bob' }),
      sentence,
    );
    await gateway.expectRefused(
      await makeCertificate(gateway.authority, { principals: 'alice,carol' }),
      sentence,
    );
    const one = await makeCertificate(gateway.authority, { principals: 'nobody-here,alice' });
    expect((await gateway.whoami(one)).status).toBe(0);
  });

  it('an account that the authority does not cover', async () => {
    await gateway.expectRefused(
      await makeCertificate(gateway.authority, { principals: 'carol' }),
      'the authority of this certificate may not speak for this account.',
    );
  });

  it('an admin, unless the authority was added with --admins', async () => {
    const everybodys = await makeKeyPair();
    await gateway.door.ssh("ca add members --principals-from='*'", { stdin: everybodys.publicKey });
    for (const signer of [gateway.authority, everybodys]) {
      const key = await makeCertificate(signer, { principals: 'admin' });
      await gateway.expectRefused(key, 'the authority of this certificate may not speak for this account.');
    }
    await gateway.door.ssh('ca remove members');
    await gateway.door.ssh('ca add admins --principals-from=admin --admins', { stdin: everybodys.publicKey });
    const allowed = await makeCertificate(everybodys, { principals: 'admin' });
    expect((await gateway.whoami(allowed)).text).toContain('Role: admin');
    await gateway.door.ssh('ca remove admins');
  });

  it('a member made an admin while connected loses what the certificate gave', async () => {
    const key = await makeCertificate(gateway.authority, { principals: 'bob' });
    expect((await gateway.whoami(key)).status).toBe(0);
    await gateway.door.ssh('account role bob admin');
    await gateway.expectRefused(key, 'the authority of this certificate may not speak for this account.');
    await gateway.door.ssh('account role bob member');
    expect((await gateway.whoami(key)).status).toBe(0);
  });

  it('an unknown critical option', async () => {
    const key = await makeCertificate(gateway.authority, {
      principals: member,
      options: ['critical:foo@x=bar'],
    });
    await gateway.expectRefused(key, 'this certificate has a critical option that is not known here, foo@x.');
    const extension = await makeCertificate(gateway.authority, {
      principals: member,
      options: ['extension:foo@x=bar'],
    });
    expect((await gateway.whoami(extension)).status).toBe(0);
  });

  it('another authority, or the key itself, signed it', async () => {
    const stranger = await makeKeyPair();
    const sentence = 'None of the keys you offered can log in here.';
    await gateway.expectRefused(await makeCertificate(stranger, { principals: member }), sentence);
    await gateway.expectRefused(await certify(stranger, stranger, { principals: member }), sentence);
  });

  it('forged: a trusted authority stands in it, and did not sign it', async () => {
    const key = await makeCertificate(gateway.authority, { principals: member });
    const blob = await certificateBlob(key);
    blob[blob.length - 1] = (blob.at(-1) as number) ^ 1;
    await writeFile(`${key.file}-cert.pub`, `ssh-ed25519-cert-v01@openssh.com ${blob.toString('base64')}\n`);
    await gateway.expectRefused(key, 'None of the keys you offered can log in here.');
  });

  it('the authority signed with SHA-1', async () => {
    const rsa = await makeKeyPair('rsa', ['-b', '3072']);
    await gateway.door.ssh("ca add old --principals-from='*'", { stdin: rsa.publicKey });
    const weak = await makeCertificate(rsa, { principals: member, signedWith: 'ssh-rsa' });
    const text = await readFile(`${weak.file}-cert.pub`, 'utf8');
    expect(Buffer.from(text.split(' ')[1] as string, 'base64').includes('rsa-sha2')).toBe(false);
    await gateway.expectRefused(weak, 'None of the keys you offered can log in here.');
    const sound = await makeCertificate(rsa, { principals: member, signedWith: 'rsa-sha2-512' });
    expect((await gateway.whoami(sound)).status).toBe(0);
    await gateway.door.ssh('ca remove old');
  });

  it("a certificate without its private key: somebody else's signature is no way in", async () => {
    const victim = await makeCertificate(gateway.authority, { principals: member });
    const thief = await makeKeyPair();
    await writeFile(`${thief.file}-cert.pub`, await readFile(`${victim.file}-cert.pub`));
    const outcome = await gateway.whoami(thief);
    expect(outcome.status).toBe(255);
  });
});
