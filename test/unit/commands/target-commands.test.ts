import { describe, expect, it } from 'vitest';
import type { AccountRow } from '../../../src/store/schema.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { openPeopledLobby, statusOf } from '../../support/lobby.ts';
import { container, identityOf, putAccount, putGrant, putKey } from '../../support/people.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

describe('commands about targets', () => {
  it('ls lists what one reaches, as text and in three lists', async () => {
    const { stdout } = await lobby.run(lobby.owner, 'ls -l');
    expect(stdout).toMatch(
      /^NAME +STATE +IMAGE +ID +ADDRESS +STATUS +CONNECT\nweb +running .* ssh -p 2222 rexec-web@gw\.example\.com\n$/,
    );
    const { data } = await lobby.json(lobby.admin, 'ls');
    expect(Object.keys(data)).toEqual(['containers', 'hosts', 'vms']);
    expect(data.vms).toEqual([
      { vm_name: 'db', status: 'running', ssh_dest: 'ssh://rexec-db@gw.example.com:2222' },
      { vm_name: 'web', status: 'running', ssh_dest: 'ssh://rexec-web@gw.example.com:2222' },
    ]);
  });

  it('without an engine ls says so, and everything else works', async () => {
    lobby.breakWith('connect ENOENT');
    expect(await lobby.json(lobby.admin, 'ls')).toMatchObject({
      status: 1,
      data: { code: 'engine-unavailable' },
    });
    expect(statusOf(await lobby.run(lobby.admin, 'whoami'))).toBe(0);
  });

  it('connect says how, by the keys of the spec', async () => {
    const { data } = await lobby.json(lobby.owner, 'connect web');
    expect(data).toEqual({
      host: 'gw.example.com',
      port: 2222,
      username: 'rexec-web',
      container_id: container('web').id,
      container_name: 'web',
      container_user: 'root',
      ssh_command: 'ssh -p 2222 rexec-web@gw.example.com',
    });
    expect(await lobby.json(lobby.owner, 'connect db')).toMatchObject({
      status: 1,
      data: { code: 'target-not-found' },
    });
  });

  it('ssh runs a session, raw, with its own status; an unknown target is 255', async () => {
    const result = await lobby.run(lobby.owner, `ssh web echo "it's  raw" --json`);
    expect(result).toMatchObject({
      end: { exitStatus: 7 },
      stdout: `(default)@web: echo "it's  raw" --json\n`,
      stderr: '',
    });
    expect((await lobby.run(lobby.owner, 'ssh root@rexec-web')).stdout).toBe('root@web: shell\n');
    expect((await lobby.run(lobby.owner, 'ssh app+web id')).stdout).toBe('app@web: id\n');
    expect(statusOf(await lobby.run(lobby.owner, 'ssh db'))).toBe(255);
  });

  it('start, stop, restart answer with the container as it is afterwards', async () => {
    expect((await lobby.json(lobby.owner, 'stop web')).data).toMatchObject({ name: 'web', state: 'exited' });
    expect((await lobby.run(lobby.owner, 'start web')).stdout).toBe('web is running\n');
    await lobby.run(lobby.owner, 'restart web');
    expect(lobby.asked.map((line) => line.split(' ')[0])).toEqual(['stop', 'start', 'restart']);
  });

  it('a tag that is not there cannot be taken away, and then none is', async () => {
    await lobby.run(lobby.owner, 'tag web ci');
    const refused = await lobby.json(lobby.owner, 'tag web --remove ci nosuch');
    expect(refused).toMatchObject({ status: 1, data: { code: 'tag-not-found' } });
    expect(refused.stderr).toBe('postern: web carries no tag "nosuch"; "tag web" shows those it carries.\n');
    expect((await lobby.run(lobby.owner, 'tag web --remove')).stderr).toContain('name the tags to take away');
    expect((await lobby.json(lobby.owner, 'tag web')).data.tags).toEqual(['ci']);
  });

  it('a key with a tag that no target carries is told so, and of no target', async () => {
    const { store } = lobby.services;
    const tagged = identityOf(lobby.olga, await putKey(store, lobby.olga, 'tagged', { tag: 'ci' }));
    const sentence =
      'The key you used reaches only targets with the tag "ci", and you can reach none of those';
    expect((await lobby.run(tagged, 'ls')).stdout).toContain(sentence);
    expect((await lobby.run(tagged, 'ssh web')).stderr).toContain(sentence);
    const sam = await putAccount(store, 'sam');
    const stranger = identityOf(sam, await putKey(store, sam, 'k'));
    expect((await lobby.run(stranger, 'ls')).stdout).toContain('You can reach no target yet; ask an admin');
  });

  it('slow-engine: an admin demoted while the engine lists stops nothing by what they were', async () => {
    const { store, accounts } = lobby.services;
    const { id } = await accounts.getByName('ada');
    await putGrant(store, container('web'), { id } as AccountRow);
    await putAccount(store, 'eve', 'admin').then((eve) => putKey(store, eve, 'k'));
    const list = lobby.engine.list;
    lobby.engine.list = async () => {
      await accounts.setRole('ada', 'member');
      return list();
    };
    expect((await lobby.json(lobby.admin, 'stop web')).data.code).toBe('not-allowed');
    expect(lobby.asked).toEqual([]);
  });

  it('share and tag change who reaches a target', async () => {
    const gus = await putAccount(lobby.services.store, 'gus');
    const grantee = identityOf(gus, await putKey(lobby.services.store, gus, 'k'));
    const shared = await lobby.json(lobby.owner, 'share add web gus --users=app,www-data --no-pty');
    expect(shared.data).toEqual({
      target: 'web',
      accounts: [
        {
          account: 'gus',
          users: ['app', 'www-data'],
          no_pty: true,
          no_forwarding: false,
          no_sftp: false,
          created_at: '2026-01-15T12:00:00.000Z',
        },
      ],
    });
    expect((await lobby.run(grantee, 'ssh www-data@web')).stdout).toBe('www-data@web: shell\n');
    expect((await lobby.json(lobby.owner, 'tag web ci b')).data).toEqual({
      target: 'web',
      tags: ['b', 'ci'],
    });
    expect((await lobby.json(lobby.owner, 'tag web --remove b')).data.tags).toEqual(['ci']);
    expect((await lobby.json(lobby.owner, 'share remove web gus')).data).toEqual({
      target: 'web',
      accounts: [],
    });
    expect(statusOf(await lobby.run(grantee, 'ssh www-data@web'))).toBe(255);
    expect((await lobby.json(lobby.owner, 'share remove web gus')).data.code).toBe('grant-not-found');
    for (const users of ['a b', 'a,,b', '', '-x', 'a\u202eb', `a${'b'.repeat(255)}`]) {
      const refused = await lobby.json(lobby.owner, `share add web gus --users='${users}'`);
      expect([users, refused.data.code]).toEqual([users, 'usage']);
    }
    expect((await lobby.json(lobby.owner, 'share add web nobody')).data.code).toBe('account-not-found');
  });
});
