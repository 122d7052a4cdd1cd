/** Logging in with OpenSSH user certificates: the real ssh-keygen -s, the real ssh, the real gateway. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateBlob, certify, makeCertificate } from '../support/certificates.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type KeyPair, makeKeyPair, type SshOptions, spawnSsh } from '../support/ssh-client.ts';

let door: TestGateway;
let authority: KeyPair;
const member = 'alice';

beforeAll(async () => {
  door = await startTestGateway();
  authority = await makeKeyPair();
  for (const name of [member, 'bob', 'carol']) await door.addMember(name);
  const added = await door.ssh(`ca add office --principals-from=${member},bob,admin,dora`, {
    stdin: authority.publicKey,
  });
  expect(added.text).toContain('There is no account yet called dora.');
  expect(added.status).toBe(0);
});
afterAll(() => door.stop());

const whoami = (key: KeyPair, options: SshOptions = {}) => door.ssh('whoami', { key, ...options });

/** What a certificate that is refused gets: no way in, and this sentence. */
async function expectRefused(key: KeyPair, sentence: string): Promise<void> {
  const outcome = await whoami(key, { args: ['-o', 'LogLevel=INFO'] });
  expect(outcome.stderr).toContain(sentence);
  expect(outcome.stderr).toContain('Permission denied');
  expect(outcome.text).toBe('');
  expect(outcome.status).toBe(255);
}

describe('a user certificate of a trusted authority logs in', () => {
  it.each([
    ['ed25519', []],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
    ['rsa', ['-b', '2048']],
  ])('of a key %s %j', async (type, extra) => {
    const key = await certify(authority, await makeKeyPair(type, extra), {
      principals: member,
      keyId: `her ${type}`,
      serial: '18446744073709551615',
    });
    const outcome = await whoami(key);
    expect(outcome.stderr).toBe('');
    expect(outcome.text).toContain('Account: alice');
    expect(outcome.text).toContain(
      `Certificate: "her ${type}", serial 18446744073709551615, signed by office`,
    );
    expect(outcome.text).not.toContain('* the key of this connection');
    const accepted = door.logged().findLast((line) => line['audit'] === 'login-accepted');
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
    await door.ssh(`ca add other-one --principals-from='*'`, { stdin: other.publicKey });
    const key = await makeCertificate(other, {
      principals: 'carol',
      ...(signedWith ? { signedWith } : {}),
    });
    const outcome = await whoami(key);
    expect(outcome.text).toContain('Account: carol');
    expect((await door.ssh('ca remove other-one')).status).toBe(0);
  });

  it('rsa with rsa-sha2-256 too, and never with SHA-1', async () => {
    const key = await certify(authority, await makeKeyPair('rsa', ['-b', '2048']), { principals: member });
    const using = (algorithm: string) =>
      whoami(key, { args: ['-o', `PubkeyAcceptedAlgorithms=${algorithm}-cert-v01@openssh.com`] });
    expect((await using('rsa-sha2-256')).status).toBe(0);
    expect((await using('rsa-sha2-512')).status).toBe(0);
    expect((await using('ssh-rsa')).status).toBe(255);
  });

  it('whoami and session list show it, also as JSON', async () => {
    const key = await makeCertificate(authority, { principals: member, validity: '-1m:+1h', serial: '5' });
    const data = JSON.parse((await door.ssh('whoami --json', { key })).text);
    expect(data.certificate).toMatchObject({ key_id: 'a key id', serial: '5', ca: 'office' });
    expect(Date.parse(data.certificate.expires_at)).toBeGreaterThan(Date.now());
    expect(data.ssh_keys.map(({ current }: { current: boolean }) => current)).toEqual([false]);
    const sessions = JSON.parse((await door.ssh('session list --json', { key })).text);
    expect(sessions.sessions).toEqual([expect.objectContaining({ account: 'alice', current: true })]);
  });

  it('a key that is registered as well still logs in by itself', async () => {
    const plain = await makeKeyPair();
    await door.ssh('account add-key bob', { stdin: plain.publicKey });
    const both = await certify(authority, plain, { principals: member });
    const onlyCertificates = { args: ['-o', 'PubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com'] };
    expect((await whoami(both, onlyCertificates)).text).toContain('Account: alice');
    expect((await whoami(plain)).text).toContain('Account: bob');
    const expired = await certify(authority, plain, { principals: member, validity: '-2h:-1h' });
    expect((await whoami(expired)).text).toContain('Account: bob');
  });
});

describe('certificates that are refused', () => {
  it('expired', async () => {
    const key = await makeCertificate(authority, { principals: member, validity: '-2h:-1h' });
    await expectRefused(key, 'this certificate expired at ');
  });

  it('not yet valid', async () => {
    const key = await makeCertificate(authority, { principals: member, validity: '+1h:+2h' });
    await expectRefused(key, 'this certificate is not valid yet.');
  });

  it('no principal names an account', async () => {
    await expectRefused(
      await makeCertificate(authority, { principals: 'nobody-here,Alice' }),
      "none of this certificate's principals names an account here.",
    );
    await expectRefused(
      await makeCertificate(authority, { principals: '' }),
      "none of this certificate's principals names an account here.",
    );
  });

  it('two principals name accounts, even if the authority covers one of them only', async () => {
    const sentence = "more than one of this certificate's principals names an account here.";
    await expectRefused(await makeCertificate(authority, { principals: 'alice,bob' }), sentence);
    await expectRefused(await makeCertificate(authority, { principals: 'alice,carol' }), sentence);
    const one = await makeCertificate(authority, { principals: 'nobody-here,alice' });
    expect((await whoami(one)).status).toBe(0);
  });

  it('an account that the authority does not cover', async () => {
    await expectRefused(
      await makeCertificate(authority, { principals: 'carol' }),
      'the authority of this certificate may not speak for this account.',
    );
  });

  it('an admin, unless the authority was added with --admins', async () => {
    const everybodys = await makeKeyPair();
    await door.ssh("ca add members --principals-from='*'", { stdin: everybodys.publicKey });
    for (const signer of [authority, everybodys]) {
      const key = await makeCertificate(signer, { principals: 'admin' });
      await expectRefused(key, 'the authority of this certificate may not speak for this account.');
    }
    await door.ssh('ca remove members');
    await door.ssh('ca add admins --principals-from=admin --admins', { stdin: everybodys.publicKey });
    const allowed = await makeCertificate(everybodys, { principals: 'admin' });
    expect((await whoami(allowed)).text).toContain('Role: admin');
    await door.ssh('ca remove admins');
  });

  it('a member made an admin while connected loses what the certificate gave', async () => {
    const key = await makeCertificate(authority, { principals: 'bob' });
    expect((await whoami(key)).status).toBe(0);
    await door.ssh('account role bob admin');
    await expectRefused(key, 'the authority of this certificate may not speak for this account.');
    await door.ssh('account role bob member');
    expect((await whoami(key)).status).toBe(0);
  });

  it('an unknown critical option', async () => {
    const key = await makeCertificate(authority, { principals: member, options: ['critical:foo@x=bar'] });
    await expectRefused(key, 'this certificate has a critical option that is not known here, foo@x.');
    const extension = await makeCertificate(authority, {
      principals: member,
      options: ['extension:foo@x=bar'],
    });
    expect((await whoami(extension)).status).toBe(0);
  });

  it('another authority, or the key itself, signed it', async () => {
    const stranger = await makeKeyPair();
    const sentence = 'None of the keys you offered is registered here.';
    await expectRefused(await makeCertificate(stranger, { principals: member }), sentence);
    await expectRefused(await certify(stranger, stranger, { principals: member }), sentence);
  });

  it('forged: a trusted authority stands in it, and did not sign it', async () => {
    const key = await makeCertificate(authority, { principals: member });
    const blob = await certificateBlob(key);
    blob[blob.length - 1] = (blob.at(-1) as number) ^ 1;
    await writeFile(`${key.file}-cert.pub`, `ssh-ed25519-cert-v01@openssh.com ${blob.toString('base64')}\n`);
    await expectRefused(key, 'None of the keys you offered is registered here.');
  });

  it('the authority signed with SHA-1', async () => {
    const rsa = await makeKeyPair('rsa', ['-b', '3072']);
    await door.ssh("ca add old --principals-from='*'", { stdin: rsa.publicKey });
    const weak = await makeCertificate(rsa, { principals: member, signedWith: 'ssh-rsa' });
    const text = await readFile(`${weak.file}-cert.pub`, 'utf8');
    expect(Buffer.from(text.split(' ')[1] as string, 'base64').includes('rsa-sha2')).toBe(false);
    await expectRefused(weak, 'None of the keys you offered is registered here.');
    const sound = await makeCertificate(rsa, { principals: member, signedWith: 'rsa-sha2-512' });
    expect((await whoami(sound)).status).toBe(0);
    await door.ssh('ca remove old');
  });

  it("a certificate without its private key: somebody else's signature is no way in", async () => {
    const victim = await makeCertificate(authority, { principals: member });
    const thief = await makeKeyPair();
    await writeFile(`${thief.file}-cert.pub`, await readFile(`${victim.file}-cert.pub`));
    const outcome = await whoami(thief);
    expect(outcome.status).toBe(255);
  });
});

describe('what a certificate leaves', () => {
  it('source-address lets in from these addresses alone', async () => {
    const elsewhere = ['source-address=192.0.2.0/24,2001:db8::/32'];
    const key = await makeCertificate(authority, { principals: member, options: elsewhere });
    await expectRefused(key, 'this certificate is not good from your address.');
    const here = await makeCertificate(authority, {
      principals: member,
      options: ['source-address=192.0.2.0/24,127.0.0.0/8'],
    });
    expect((await whoami(here)).status).toBe(0);
  });

  it('force-command runs in the place of what was asked', async () => {
    const key = await makeCertificate(authority, { principals: member, options: ['force-command=version'] });
    const outcome = await door.ssh('whoami', { key });
    expect(outcome.text).not.toContain('Account');
    expect(outcome.text).toBe((await door.ssh('version')).text);
  });

  it('without permit-pty there is no terminal', async () => {
    const key = await makeCertificate(authority, { principals: member, options: ['no-pty'] });
    const refused = await door.ssh('whoami', { key, args: ['-tt'] });
    expect(refused.text + refused.stderr).toContain('a terminal is not allowed here');
    expect(refused.status).toBe(255);
    expect((await whoami(key)).status).toBe(0);
  });

  it('a certificate that expires, or forbids something, changes no keys: it would outlive itself', async () => {
    const mine = (await makeKeyPair()).publicKey;
    for (const terms of [{ validity: '+1h' }, { options: ['no-port-forwarding'] }, { options: ['clear'] }]) {
      const key = await makeCertificate(authority, { principals: member, ...terms });
      const outcome = await door.ssh('ssh-key add', { key, stdin: mine });
      expect(outcome.stderr).toContain('restricted');
      expect(outcome.status).toBe(1);
    }
  });
});

describe('what is taken back', () => {
  const open = async (key: KeyPair) => {
    const session = spawnSsh(door, undefined, { key });
    let stderr = '';
    session.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const ended = new Promise<string>((resolve) => session.once('close', () => resolve(stderr)));
    session.stdin?.write('whoami\n');
    await new Promise((resolve) => session.stdout?.once('data', resolve));
    return { ended };
  };

  it('a revoked serial ends its connections, and comes back with unrevoke', async () => {
    const key = await makeCertificate(authority, { principals: member, serial: '7' });
    const other = await makeCertificate(authority, { principals: member, serial: '8' });
    const { ended } = await open(key);
    expect((await door.ssh('ca revoke office --serial=007')).text).toContain('Revoked certificate 7');
    expect(await ended).toContain('the certificate you are connected with is no longer valid here.');
    await expectRefused(key, 'this certificate was revoked.');
    expect((await whoami(other)).status).toBe(0);
    expect((await door.ssh('ca unrevoke office --serial=7')).status).toBe(0);
    expect((await whoami(key)).status).toBe(0);
  });

  it('a revoked key id revokes every certificate that carries it', async () => {
    const key = await makeCertificate(authority, { principals: member, keyId: 'old laptop', serial: '1' });
    const same = await makeCertificate(authority, { principals: 'bob', keyId: 'old laptop', serial: '2' });
    const outcome = await door.ssh('ca revoke office "--key-id=old laptop"');
    expect(outcome.status).toBe(0);
    for (const each of [key, same]) await expectRefused(each, 'this certificate was revoked.');
    const shown = JSON.parse((await door.ssh('ca show office --json')).text);
    expect(shown.revocations).toEqual([expect.objectContaining({ key_id: 'old laptop', serial: null })]);
  });

  it('an authority removed ends its connections; added again, what was revoked stays revoked', async () => {
    const other = await makeKeyPair();
    const add = () => door.ssh(`ca add brief --principals-from=${member}`, { stdin: other.publicKey });
    await add();
    const key = await makeCertificate(other, { principals: member, serial: '3' });
    const revoked = await makeCertificate(other, { principals: member, serial: '4' });
    await door.ssh('ca revoke brief --serial=4');
    const { ended } = await open(key);
    expect((await door.ssh('ca remove brief')).status).toBe(0);
    expect(await ended).toContain('the certificate you are connected with is no longer valid here.');
    await expectRefused(key, 'None of the keys you offered is registered here.');
    await add();
    expect((await whoami(key)).status).toBe(0);
    await expectRefused(revoked, 'this certificate was revoked.');
  });

  it('a certificate that expires while connected ends its connection', async () => {
    const key = await makeCertificate(authority, { principals: member, validity: '-1m:+3s' });
    const { ended } = await open(key);
    expect(await ended).toContain('the certificate you are connected with has expired.');
  });
});

describe('names', () => {
  it('a name that an authority covers may not be chosen by who joins, only given', async () => {
    const invite = async (flags: string) =>
      (JSON.parse((await door.ssh(`invite create ${flags} --json`)).text) as { code: string }).code;
    const taken = await door.ssh('dora', {
      key: await makeKeyPair(),
      login: `join+${await invite('--role=member')}`,
    });
    expect(taken.stderr).toContain('the name "dora" is taken or reserved');
    const given = await door.ssh('join', {
      key: await makeKeyPair(),
      login: `join+${await invite('--name=dora')}`,
    });
    expect(given.status).toBe(0);
    expect((await whoami(await makeCertificate(authority, { principals: 'dora' }))).text).toContain('dora');
  });

  it('one name, one key: an authority is added once', async () => {
    const again = await door.ssh("ca add office2 --principals-from='*'", { stdin: authority.publicKey });
    expect(again.stderr).toContain('the authority "office" has this name or this key already');
    expect(again.status).toBe(1);
    const listed = JSON.parse((await door.ssh('ca list --json')).text);
    expect(listed.cas.map(({ name }: { name: string }) => name)).toContain('office');
  });

  it('members do not see or touch authorities', async () => {
    const key = await door.addMember('mallory');
    for (const line of ['ca list', 'ca show office', 'ca remove office', 'ca revoke office --serial=1']) {
      expect((await door.ssh(line, { key })).stderr).toContain('is for admins only');
    }
  });
});
