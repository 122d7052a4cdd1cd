import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forEachTest } from '../../support/lifetimes.ts';
import { makePublicKey, openPeopledLobby, statusOf } from '../../support/lobby.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

describe('commands about keys', () => {
  it('whoami names account, role, keys and the key of this connection', async () => {
    const { stdout } = await lobby.run(lobby.owner, 'whoami');
    expect(stdout).toMatch(/^Email Address: olga@example\.com\n/);
    expect((await lobby.run(lobby.admin, 'whoami')).stdout).toMatch(/^Account: ada\n/);
    await lobby.run(lobby.owner, 'ssh-key add', { stdin: makePublicKey('phone') });
    const { data } = await lobby.json(lobby.owner, 'whoami');
    expect(Object.keys(data)).toEqual(['account', 'email', 'role', 'ssh_keys']);
    expect(data).toMatchObject({ account: 'olga', email: 'olga@example.com', role: 'member' });
    expect(data.ssh_keys.map(Object.keys)).toEqual([
      ['public_key', 'fingerprint', 'name', 'current'],
      ['public_key', 'fingerprint', 'name', 'current'],
    ]);
    expect(data.ssh_keys.map((key: { name: string; current: boolean }) => [key.name, key.current])).toEqual([
      ['laptop', true],
      ['phone', false],
    ]);
  });

  it('ssh-key add takes a key on stdin and as arguments, and shows what the spec names', async () => {
    const line = makePublicKey('phone of olga');
    const added = await lobby.json(lobby.owner, 'ssh-key add --tag=ci --exp=30d', line);
    expect(Object.keys(added.data)).toEqual(
      'id name public_key fingerprint fingerprint_md5 key_type current created_at last_used_at expires_at tag kind'.split(
        ' ',
      ),
    );
    const file = join(mkdtempSync(join(tmpdir(), 'postern-key-')), 'k.pub');
    writeFileSync(file, `${line}\n`);
    const shown = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' });
    const md5 = execFileSync('ssh-keygen', ['-l', '-E', 'md5', '-f', file], { encoding: 'utf8' });
    expect(shown).toContain(added.data.fingerprint);
    expect(md5).toContain(added.data.fingerprint_md5);
    expect(added.data).toMatchObject({
      name: 'phone of olga',
      tag: 'ci',
      expires_at: '2026-02-14T12:00:00.000Z',
      kind: 'user',
    });
    const asArgument = await lobby.run(lobby.owner, `ssh-key add --name=second ${makePublicKey('a b c')}`);
    expect(asArgument).toMatchObject({ end: { exitStatus: 0 }, stderr: '' });
    expect(
      (await lobby.json(lobby.owner, 'ssh-key list')).data.ssh_keys.map((key: { name: string }) => key.name),
    ).toEqual(['laptop', 'phone of olga', 'second']);
  });

  it('several lines on stdin add several keys, all or none', async () => {
    const keys = [makePublicKey('a'), makePublicKey('b')];
    const failed = await lobby.run(lobby.owner, 'ssh-key add', { stdin: `${keys.join('\n')}\nrubbish\n` });
    expect(statusOf(failed)).toBe(2);
    expect((await lobby.json(lobby.owner, 'ssh-key list')).data.ssh_keys).toHaveLength(1);
    expect((await lobby.json(lobby.owner, 'ssh-key add', keys.join('\n'))).data.ssh_keys).toHaveLength(2);
  });

  it('ssh-key rename and remove take a name, a fingerprint or the key', async () => {
    const lines = ['one', 'two', 'three'].map((name) => makePublicKey(name));
    const added = await lobby.json(lobby.owner, 'ssh-key add', lines.join('\n'));
    expect((await lobby.json(lobby.owner, "ssh-key rename one 'der erste'")).data.name).toBe('der erste');
    expect((await lobby.json(lobby.owner, 'ssh-key remove der erste')).data.removed.name).toBe('der erste');
    expect(
      (await lobby.json(lobby.owner, `ssh-key remove ${added.data.ssh_keys[1].fingerprint}`)).data.removed
        .name,
    ).toBe('two');
    expect((await lobby.json(lobby.owner, `ssh-key remove ${lines[2]}`)).data.removed.name).toBe('three');
  });

  it('last-key, current-key, duplicate-key: each its own sentence and status 1', async () => {
    expect(await lobby.run(lobby.owner, 'ssh-key remove laptop')).toMatchObject({
      end: { exitStatus: 1 },
      stdout: '',
    });
    await lobby.run(lobby.owner, 'ssh-key add', { stdin: makePublicKey('phone') });
    expect((await lobby.json(lobby.owner, 'ssh-key remove laptop')).data.code).toBe('current-key');
    const line = makePublicKey('again');
    await lobby.run(lobby.owner, 'ssh-key add', { stdin: line });
    const again = await lobby.json(lobby.owner, 'ssh-key add', line);
    expect(again).toMatchObject({ status: 1, data: { code: 'duplicate-key' } });
    expect(again.stderr).toMatch(/^postern: this key is already registered, as "again"\.\n$/);
    expect((await lobby.json(lobby.admin, 'ssh-key add', line)).data).toMatchObject({ code: 'foreign-key' });
    expect((await lobby.json(lobby.owner, 'ssh-key remove laptop --yes')).data.removed.current).toBe(true);
  });
});
