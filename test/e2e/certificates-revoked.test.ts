/** What an admin takes back of certificates and authorities, and the names they cover. */
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { startCertifiedGateway } from '../support/certified-gateway.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { movedClock } from '../support/second-factor.ts';
import { type KeyPair, makeKeyPair, spawnSsh } from '../support/ssh-client.ts';

const clock = movedClock();
const gateway = forAllTests(
  () => startCertifiedGateway({ overrides: { clock } }),
  ({ door }) => door.stop(),
);
const member = 'alice';

describe('what is taken back', () => {
  const open = async (key: KeyPair) => {
    const session = spawnSsh(gateway.door, undefined, { key });
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
    const key = await makeCertificate(gateway.authority, { principals: member, serial: '7' });
    const other = await makeCertificate(gateway.authority, { principals: member, serial: '8' });
    const { ended } = await open(key);
    expect((await gateway.door.ssh('ca revoke office --serial=007')).text).toContain('Revoked certificate 7');
    expect(await ended).toContain('the certificate you are connected with is no longer valid here.');
    await gateway.expectRefused(key, 'this certificate was revoked.');
    expect((await gateway.whoami(other)).status).toBe(0);
    expect((await gateway.door.ssh('ca unrevoke office --serial=7')).status).toBe(0);
    expect((await gateway.whoami(key)).status).toBe(0);
  });

  it('a revoked key id revokes every certificate that carries it', async () => {
    const key = await makeCertificate(gateway.authority, {
      principals: member,
      keyId: 'old laptop',
      serial: '1',
    });
    const same = await makeCertificate(gateway.authority, {
      principals: 'bob',
      keyId: 'old laptop',
      serial: '2',
    });
    const outcome = await gateway.door.ssh('ca revoke office "--key-id=old laptop"');
    expect(outcome.status).toBe(0);
    for (const each of [key, same]) await gateway.expectRefused(each, 'this certificate was revoked.');
    const shown = JSON.parse((await gateway.door.ssh('ca show office --json')).text);
    expect(shown.revocations).toEqual([expect.objectContaining({ key_id: 'old laptop', serial: null })]);
  });

  it('an authority removed ends its connections; added again, what was revoked stays revoked', async () => {
    const other = await makeKeyPair();
    const add = () =>
      gateway.door.ssh(`ca add brief --principals-from=${member}`, { stdin: other.publicKey });
    await add();
    const key = await makeCertificate(other, { principals: member, serial: '3' });
    const revoked = await makeCertificate(other, { principals: member, serial: '4' });
    await gateway.door.ssh('ca revoke brief --serial=4');
    const { ended } = await open(key);
    expect((await gateway.door.ssh('ca remove brief')).status).toBe(0);
    expect(await ended).toContain('the certificate you are connected with is no longer valid here.');
    await gateway.expectRefused(key, 'None of the keys you offered can log in here.');
    await add();
    expect((await gateway.whoami(key)).status).toBe(0);
    await gateway.expectRefused(revoked, 'this certificate was revoked.');
  });

  it('a certificate that expires while connected ends its connection', async () => {
    const end = Math.floor(Date.now() / 1_000) + 600;
    const validity = `-1m:0x${end.toString(16)}`;
    const key = await makeCertificate(gateway.authority, { principals: member, validity });
    // However long the login takes, it is a second before the end.
    clock.standAt((end - 1) * 1_000);
    const { ended } = await open(key);
    clock.standAt(end * 1_000);
    expect(await ended).toContain('the certificate you are connected with has expired.');
    clock.standAt(undefined);
  });
});

describe('names', () => {
  it('a name that an authority covers may not be chosen by who joins, only given', async () => {
    const invite = async (flags: string) =>
      (JSON.parse((await gateway.door.ssh(`invite create ${flags} --json`)).text) as { code: string }).code;
    const taken = await gateway.door.ssh('dora', {
      key: await makeKeyPair(),
      login: `join+${await invite('--role=member')}`,
    });
    expect(taken.stderr).toContain('the name "dora" is taken or reserved');
    const given = await gateway.door.ssh('join', {
      key: await makeKeyPair(),
      login: `join+${await invite('--name=dora')}`,
    });
    expect(given.status).toBe(0);
    expect(
      (await gateway.whoami(await makeCertificate(gateway.authority, { principals: 'dora' }))).text,
    ).toContain('dora');
  });

  it('one name, one key: an authority is added once', async () => {
    const again = await gateway.door.ssh("ca add office2 --principals-from='*'", {
      stdin: gateway.authority.publicKey,
    });
    expect(again.stderr).toContain('the authority "office" has this name or this key already');
    expect(again.status).toBe(1);
    const listed = JSON.parse((await gateway.door.ssh('ca list --json')).text);
    expect(listed.cas.map(({ name }: { name: string }) => name)).toContain('office');
  });

  it('members do not see or touch authorities', async () => {
    const key = await gateway.door.addMember('mallory');
    for (const line of ['ca list', 'ca show office', 'ca remove office', 'ca revoke office --serial=1']) {
      expect((await gateway.door.ssh(line, { key })).stderr).toContain('is for admins only');
    }
  });
});
