import { describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import { operatorIdentity } from '../../../src/auth/operator.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { makePublicKey, openPeopledLobby, statusOf } from '../../support/lobby.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

describe('commands for admins', () => {
  it('account commands make, show, change and remove accounts; the last admin stays', async () => {
    const made = await lobby.json(
      lobby.admin,
      `account add bob --email=bob@example.com ${makePublicKey('bob')}`,
    );
    expect(made.data).toMatchObject({
      name: 'bob',
      email: 'bob@example.com',
      role: 'member',
      disabled: false,
    });
    expect((await lobby.json(lobby.admin, 'account show bob')).data.ssh_keys).toHaveLength(1);
    expect((await lobby.json(lobby.admin, 'account add-key bob', makePublicKey('two'))).data.name).toBe(
      'two',
    );
    expect((await lobby.json(lobby.admin, 'account role bob admin')).data.role).toBe('admin');
    expect((await lobby.json(lobby.admin, 'account disable bob')).data.disabled).toBe(true);
    expect((await lobby.json(lobby.admin, 'account disable ada')).data.code).toBe('last-admin');
    expect((await lobby.json(lobby.admin, 'account enable bob')).data.disabled).toBe(false);
    expect((await lobby.json(lobby.admin, 'account remove bob')).data.name).toBe('bob');
    expect((await lobby.json(lobby.admin, 'account add bob')).data.code).toBe('account-name-taken');
    expect(
      (await lobby.json(lobby.admin, 'account list')).data.accounts.map((row: { name: string }) => row.name),
    ).toEqual(['olga', 'ada']);
    expect((await lobby.json(lobby.admin, `account add carl --role=king`)).data.code).toBe('usage');
  });

  it('invites are made, listed without their code, and revoked', async () => {
    const { data } = await lobby.json(lobby.admin, 'invite create --name=carl --exp=2d');
    expect(Object.keys(data)).toEqual(['id', 'code', 'command', 'expires_at']);
    expect(data.command).toBe(
      `ssh -p 2222 -o IdentitiesOnly=yes -i ~/.ssh/id_ed25519 join+${data.code}@gw.example.com`,
    );
    expect(data.expires_at).toBe('2026-01-17T12:00:00.000Z');
    const listed = await lobby.json(lobby.admin, 'invite list');
    expect(listed.data.invites).toHaveLength(1);
    expect(listed.stdout).not.toContain(data.code);
    expect(listed.stdout).not.toMatch(/hash/i);
    expect((await lobby.json(lobby.admin, `invite revoke ${listed.data.invites[0].id}`)).data.name).toBe(
      'carl',
    );
    expect((await lobby.json(lobby.admin, 'invite list')).data.invites).toEqual([]);
    for (const handle of ['id', 'code']) {
      const made = (await lobby.json(lobby.admin, 'invite create')).data;
      const revoked = await lobby.json(lobby.admin, `invite revoke ${made[handle]}`);
      expect(revoked.data.id).toBe(made.id);
      expect(JSON.stringify(lobby.logged())).not.toContain(made.code);
    }
    expect((await lobby.json(lobby.admin, 'invite create --exp=never')).data.code).toBe('usage');
  });

  it('session list shows an admin everybody and a member their own; kill ends one', async () => {
    const ended: string[] = [];
    for (const [id, identity] of [
      ['s-olga', lobby.owner],
      ['s-ada', lobby.admin],
    ] as const) {
      lobby.connections.addSession({
        id,
        identity,
        connectionId: 'c',
        target: 'web',
        what: 'evil \x1b[2J',
        openedAt: '2026-01-15T11:00:00.000Z',
        traffic: () => ({ bytesIn: 1, bytesOut: 2 }),
        end: () => ended.push(id),
      });
    }
    const ids = async (identity: Identity) =>
      (await lobby.json(identity, 'session list')).data.sessions.map((row: { id: string }) => row.id);
    expect(await ids(lobby.admin)).toEqual(['s-olga', 's-ada']);
    expect(await ids(lobby.owner)).toEqual(['s-olga']);
    expect((await lobby.run(lobby.admin, 'session list')).stdout).not.toContain('\x1b');
    expect((await lobby.json(lobby.owner, 'session kill s-ada')).data.code).toBe('session-not-found');
    await lobby.run(lobby.admin, 'session kill s-olga');
    expect(ended).toEqual(['s-olga']);
  });
});

describe('the operator of the machine', () => {
  it('runs admin commands and gives a lost account a new key', async () => {
    const operator = operatorIdentity();
    expect(statusOf(await lobby.run(operator, 'account list'))).toBe(0);
    const added = await lobby.run(operator, 'account add-key ada', { stdin: makePublicKey('new') });
    expect(added.stdout).toMatch(/^Added "new" SHA256:.* to ada\n$/);
    expect((await lobby.run(operator, 'ssh-key add', { stdin: makePublicKey() })).stderr).toMatch(
      /the operator has no keys/,
    );
  });
});

describe('a second factor for a target', () => {
  it('is put on and taken off by the operator, who is locked out of nothing; an admin who has none is told how to get one', async () => {
    const operator = operatorIdentity();
    const refused = await lobby.json(lobby.admin, 'mfa require web on');
    expect([refused.data.code, refused.data.error]).toEqual([
      'second-factor-first',
      expect.stringContaining('"ssh GATEWAY mfa enroll"'),
    ]);
    expect((await lobby.json(operator, 'mfa require web on')).data.mfa).toBe('required');
    expect((await lobby.json(lobby.admin, 'mfa require web on')).data.mfa).toBe('required');
    expect((await lobby.json(lobby.admin, 'mfa require web off')).data.code).toBe('second-factor-target');
    expect((await lobby.json(operator, 'mfa require web off')).data.mfa).toBe('optional');
  });
});

describe('the audit', () => {
  it('does not look for an event that there is not, as if there had been none', async () => {
    const misspelt = await lobby.run(lobby.admin, 'audit --event=login-refusd');
    expect(misspelt.stderr).toMatch(/there is no event "login-refusd"; there are .*login-refused/);
    expect((await lobby.run(lobby.admin, 'audit --event=login-refused')).stderr).toBe('');
  });

  const audited = () => lobby.logged().filter((line) => line['audit'] === 'command-run');

  it('keeps what changed something and what was refused, with secrets masked, and nothing else', async () => {
    await lobby.run(lobby.owner, 'whoami');
    await lobby.run(lobby.owner, 'nosuch');
    expect(audited()).toEqual([]);
    await lobby.run(lobby.owner, 'tag web ci');
    await lobby.run(lobby.owner, 'account remove exe0.SECRET.SECRET');
    await lobby.run(lobby.owner, 'ssh-key rename join+SECRETCODE x');
    expect(audited().map(({ line, outcome, account }) => [line, outcome, account])).toEqual([
      ['tag web ci', 'done', 'olga'],
      ['account remove exe0.***', 'not-allowed', 'olga'],
      ['ssh-key rename join+*** x', 'key-not-found', 'olga'],
    ]);
  });

  it('the code of an invite is in no line of the log', async () => {
    const { data } = await lobby.json(lobby.admin, 'invite create');
    expect(JSON.stringify(lobby.logged())).not.toContain(data.code);
  });
});
