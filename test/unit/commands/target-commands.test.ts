import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPeopledLobby, type PeopledLobby, statusOf } from '../../support/lobby.ts';
import { container, identityOf, putAccount, putKey } from '../../support/people.ts';

let lobby: PeopledLobby;

beforeEach(async () => {
  lobby = await openPeopledLobby();
});

afterEach(() => lobby.close());

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
    expect((await lobby.json(lobby.owner, "share add web gus --users='a b'")).data.code).toBe('usage');
    expect((await lobby.json(lobby.owner, 'share add web nobody')).data.code).toBe('account-not-found');
  });
});
