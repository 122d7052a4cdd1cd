import { describe, expect, it } from 'vitest';
import { forEachTest } from '../../support/lifetimes.ts';
import { openLobby, openPeopledLobby, statusOf } from '../../support/lobby.ts';
import { identityOf, putAccount, putKey } from '../../support/people.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

const productionDb = {
  id: expect.stringMatching(/^[a-z2-7]{16}$/),
  name: 'Production DB',
  slug: 'production-db',
  hostname: 'db.example.com',
  port: 22,
  username: 'ubuntu',
  users: ['ubuntu'],
  identity_file: null,
  egress_key: false,
  way: 'end-to-end',
  ssh_command: 'ssh -J gw.example.com:2222 ubuntu@db.example.com',
  pinned: true,
  host_keys: [{ type: 'ssh-ed25519', fingerprint: expect.stringMatching(/^SHA256:.{43}$/) }],
  ports: [5432],
  via: null,
  shared: false,
  created_at: '2026-01-15T12:00:00.000Z',
};
const added = '"Production DB" ubuntu@db.example.com --ports=5432';

describe('host commands', () => {
  it('add, list, show and remove a host, by name, slug or id', async () => {
    const { data } = await lobby.json(lobby.admin, `host add ${added}`);
    expect(data).toEqual(productionDb);
    expect((await lobby.json(lobby.admin, 'host list')).data).toEqual({ hosts: [productionDb] });
    for (const name of ['"Production DB"', 'production db', 'production-db', 'PRODUCTION-DB', data.id]) {
      expect((await lobby.json(lobby.admin, `host show ${name}`)).data).toEqual(productionDb);
    }
    expect((await lobby.run(lobby.admin, 'host show production-db')).stdout).toContain(
      'Ports to forward: 5432\n',
    );
    expect((await lobby.json(lobby.admin, `host remove ${data.id}`)).data).toEqual({ removed: productionDb });
    expect((await lobby.json(lobby.admin, 'host list')).data).toEqual({ hosts: [] });
    expect((await lobby.run(lobby.admin, 'host list')).stdout).toBe('no hosts\n');
  });

  it('a name of several words needs no quotes of its own: the shell that runs ssh takes them off', async () => {
    const { data } = await lobby.json(lobby.admin, 'host add Production DB ubuntu@db.example.com --shared');
    expect(data).toMatchObject({ name: 'Production DB', username: 'ubuntu', shared: true });
    expect((await lobby.run(lobby.admin, 'host remove Production DB')).stdout).toBe(
      'Removed "Production DB".\n',
    );
  });

  it('a command connects as it stands, whatever port and address', async () => {
    const commandOf = async (line: string) =>
      (await lobby.json(lobby.admin, `host add ${line}`)).data.ssh_command as string;
    expect(await commandOf('a root@host:2200')).toBe('ssh -J gw.example.com:2222 -p 2200 root@host');
    expect(await commandOf('b root@[2001:db8::1]:2200')).toBe(
      'ssh -J gw.example.com:2222 -p 2200 root@2001:db8::1',
    );
  });

  it('via names a host that one reaches', async () => {
    const jump = await lobby.json(lobby.admin, 'host add jump root@jump.example.com');
    const inner = await lobby.json(lobby.admin, 'host add inner root@10.0.0.5 --via=jump --shared');
    expect(inner.data).toMatchObject({ via: jump.data.id, shared: true });
    expect((await lobby.run(lobby.admin, 'host show inner')).stdout).toContain('Reached through: jump\n');
    expect((await lobby.run(lobby.owner, 'host show inner')).stdout).toContain(
      'Reached through: another host\n',
    );
    expect((await lobby.json(lobby.admin, 'host remove jump')).data.code).toBe('host-in-use');
    expect((await lobby.json(lobby.admin, 'host add x root@h --via=nosuch')).data.code).toBe(
      'host-not-found',
    );
  });

  it('containers keep their names', async () => {
    expect((await lobby.json(lobby.admin, 'host add web root@example.com')).data.code).toBe(
      'host-name-taken',
    );
  });

  it.each([
    'host add x',
    'host add x example.com',
    'host add x root@-oProxyCommand=id',
    'host add x root@example.com --ports=0',
    'host add x root@example.com --identity-file=../postern.json',
    'host add "" root@example.com',
  ])('%s: usage', async (line) => {
    expect((await lobby.json(lobby.admin, line)).status).toBe(2);
    expect((await lobby.json(lobby.admin, 'host list')).data).toEqual({ hosts: [] });
  });

  it('ls lists hosts too, and without an engine what there is', async () => {
    await lobby.run(lobby.admin, `host add ${added}`);
    expect((await lobby.json(lobby.admin, 'ls')).data.hosts).toEqual([productionDb]);
    expect((await lobby.run(lobby.admin, 'ls')).stdout).toMatch(
      /^web .*\n\nHOST +ADDRESS +WAY +CONNECT\nProduction DB +ubuntu@db\.example\.com:22 +end to end +ssh -J /m,
    );
    expect((await lobby.json(lobby.owner, 'ls')).data.hosts).toEqual([]);
    lobby.breakWith('connect ENOENT');
    const away = await lobby.run(lobby.admin, 'ls');
    expect(away).toMatchObject({ stderr: expect.stringContaining('connect ENOENT'), end: { exitStatus: 0 } });
    expect(away.stdout).toMatch(/^HOST/);
    expect(statusOf(await lobby.run(lobby.owner, 'ls'))).toBe(1);
  });

  it('a host that is not yours is not there: the same sentence', async () => {
    await lobby.run(lobby.admin, 'host add secret root@example.com');
    const [hidden, missing] = await Promise.all(
      ['secret', 'nosuch'].map((name) => lobby.run(lobby.owner, `host show ${name}`)),
    );
    expect(hidden?.stderr.replace('secret', 'nosuch')).toBe(missing?.stderr);
  });
});

describe('members who may register hosts', () => {
  const open = forEachTest(
    async () => openLobby({ config: { membersMayAddHosts: true } }),
    ({ close }) => close(),
  );

  it('register, see and remove their own, and name no file and no internal address', async () => {
    const { store } = open.services;
    const person = async (name: string) => {
      const account = await putAccount(store, name);
      return identityOf(account, await putKey(store, account, 'k'));
    };
    const [mia, moe] = [await person('mia'), await person('moe')];
    const run = (identity: typeof mia, line: string) => open.run(identity, line);
    expect(statusOf(await run(mia, 'host add mine root@example.com'))).toBe(0);
    expect((await run(mia, 'host add x root@127.0.0.1')).stderr).toMatch(
      /only admins may register 127\.0\.0\.1/,
    );
    expect((await run(mia, 'host add x root@h --identity-file=db')).stderr).toMatch(/for admins only/);
    expect((await run(moe, 'host list')).stdout).toBe('no hosts\n');
    expect((await run(moe, 'host add x root@h --via=mine')).stderr).toMatch(/no host "mine" for you/);
    expect((await run(moe, 'host remove mine')).stderr).toMatch(/no host "mine" for you/);
    expect((await run(mia, 'host remove mine')).stdout).toBe('Removed "mine".\n');
  });
});
