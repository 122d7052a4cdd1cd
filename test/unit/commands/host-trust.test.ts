/** Which host keys are pinned, what people are shown of them, and which way in they are told. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { hostKey } from '../../../src/hosts/hosts.ts';
import { describeHostKey } from '../../../src/hosts/pinned-keys.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { makePublicKey, openPeopledLobby, statusOf } from '../../support/lobby.ts';
import { putGrant } from '../../support/people.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());
const shownKey = () => describeHostKey(lobby.shownHostKeys[0] as string);
const show = (...keys: string[]) => lobby.shownHostKeys.splice(0, 9, ...keys);
const run = (line: string, stdin = '') => lobby.run(lobby.admin, line, { stdin });

describe('host keys', () => {
  it('are pinned as the host is added, and their fingerprints printed', async () => {
    const { stdout, stderr } = await run('host add prod ubuntu@db.example.com');
    expect(stdout).toBe(
      `Added "prod" (prod).\nIts host keys, pinned from now on; compare them with those of the server:\n  ${shownKey().fingerprint} (ssh-ed25519)\nConnect with: ssh -J gw.example.com:2222 ubuntu@db.example.com\n`,
    );
    expect(stderr).toBe('');
  });

  it('are those that are given, on stdin or as base64', async () => {
    const given = makePublicKey();
    const { fingerprint } = describeHostKey(given);
    await run('host add a root@h --host-key=-', `h ${given}\n`);
    await run(`host add b root@h --host-key=${given.split(' ')[1]}`);
    for (const name of ['a', 'b']) {
      const { data } = await lobby.json(lobby.admin, `host show ${name}`);
      expect(data).toMatchObject({ pinned: true, host_keys: [{ fingerprint }] });
    }
    expect((await lobby.json(lobby.admin, 'host add c root@h --host-key=none')).status).toBe(2);
  });

  it('of a host that is not there: kept as unpinned, with a sentence', async () => {
    lobby.failScan(new GatewayError('host-unreachable', { host: 'prod', reason: 'connection refused' }));
    const added = await run('host add prod ubuntu@db.example.com');
    expect(statusOf(added)).toBe(0);
    expect(added.stderr).toBe(
      'postern: "prod" is unpinned, for its host keys could not be read: prod cannot be reached from the gateway (connection refused). The gateway does not log in there until "host trust prod --yes".\n',
    );
    expect((await lobby.json(lobby.admin, 'host add other ubuntu@h')).data).toMatchObject({
      pinned: false,
      unpinned_because: 'prod cannot be reached from the gateway (connection refused).',
    });
    const shown = (await run('host show prod')).stdout;
    expect(shown).toContain(
      'Host keys: unpinned; the gateway does not log in until "host trust prod --yes"\n',
    );
    expect((await lobby.json(lobby.admin, 'host show prod')).data).toMatchObject({
      pinned: false,
      host_keys: [],
    });
    expect(await lobby.json(lobby.admin, 'host trust prod --yes')).toMatchObject({
      status: 1,
      data: { code: 'host-unreachable' },
    });
  });

  it('changed-host-key: both fingerprints are shown, and nothing is taken without --yes', async () => {
    const old = shownKey().fingerprint;
    await run('host add prod ubuntu@db.example.com');
    const same = await run('host trust prod');
    expect([statusOf(same), same.stdout]).toEqual([
      0,
      `"prod" shows the pinned host keys:\n  ${old} (ssh-ed25519)\n`,
    ]);
    show(makePublicKey());
    const { fingerprint } = shownKey();
    const asked = await run('host trust prod');
    expect(statusOf(asked)).toBe(1);
    expect(asked.stdout).toBe(
      `Pinned until now:\n  ${old} (ssh-ed25519)\n"prod" shows now:\n  ${fingerprint} (ssh-ed25519)\n`,
    );
    expect(asked.stderr).toBe(
      'postern: nothing was changed; somebody may be between the gateway and the server. Only if you know why its keys changed, run "host trust prod --yes".\n',
    );
    expect((await lobby.json(lobby.admin, 'host show prod')).data.host_keys[0].fingerprint).toBe(old);
    const taken = await run('host trust prod --yes');
    expect(taken).toMatchObject({ stderr: '', end: { exitStatus: 0 } });
    expect(taken.stdout).toContain('These are pinned from now on.\n');
    expect((await lobby.json(lobby.admin, 'host show prod')).data.host_keys[0].fingerprint).toBe(fingerprint);
    expect(lobby.logged()).toContainEqual(
      expect.objectContaining({
        audit: 'host-keys-trusted',
        account: 'ada',
        host: 'prod',
        before: [old],
        after: [fingerprint],
      }),
    );
  });

  it('host key prints the public half of the gateway’s own', async () => {
    expect((await run('host key')).stdout).toMatch(/^ssh-ed25519 AAAA\S+ postern@gw\.example\.com\n$/);
  });
});

describe('which way in', () => {
  const way = async (line: string) => {
    const { data } = await lobby.json(lobby.admin, `host add ${line}`);
    return [data.way, data.ssh_command];
  };

  it('with a key of the gateway’s, through the gateway; else end to end', async () => {
    const identities = join(lobby.folder, 'identities');
    await mkdir(identities);
    const pem = '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n';
    await writeFile(join(identities, 'k'), pem, { mode: 0o600 });
    const through = (name: string) => ['through-the-gateway', `ssh -p 2222 rexec-${name}@gw.example.com`];
    expect(await way('a root@h --identity-file=k')).toEqual(through('a'));
    expect(await way('b root@h --egress-key')).toEqual(through('b'));
    expect(await way('c root@i')).toEqual(['end-to-end', 'ssh -J gw.example.com:2222 root@i']);
    const shown = (await run('host show a')).stdout;
    expect(shown).toContain('Way: through the gateway; it logs in for you with its identity file k\n');
    expect((await run('host list')).stdout).toMatch(/^a +root@h:22 +through the gateway +ssh -p/m);
  });

  it('for whom limits stand: through the gateway, with their agent', async () => {
    const { data } = await lobby.json(lobby.admin, 'host add prod ubuntu@h');
    await putGrant(lobby.services.store, { key: hostKey(data) }, lobby.olga, { noPty: true });
    const seen = await lobby.json(lobby.owner, 'host show prod');
    expect(seen.data).toMatchObject({
      way: 'through-the-gateway',
      ssh_command: 'ssh -A -p 2222 rexec-prod@gw.example.com',
    });
  });

  it('end to end by name, where another host within reach has the same address', async () => {
    await way('one ada@h:2200');
    expect(await way('two bob@H:2200')).toEqual([
      'end-to-end',
      'ssh -J gw.example.com:2222 -p 2200 bob@rexec-two',
    ]);
    expect((await lobby.json(lobby.admin, 'connect one')).data.ssh_command).toContain('ada@rexec-one');
    expect((await way('three bob@h'))[1]).toContain('bob@h');
  });

  it('connect tells it of a host as of a container', async () => {
    const { data } = await lobby.json(lobby.admin, 'host add "My DB" ubuntu@h:2200');
    const facts = { host_id: data.id, host_name: 'My DB' };
    expect((await lobby.json(lobby.admin, 'connect rexec-my-db')).data).toEqual({
      ...facts,
      host: 'h',
      port: 2200,
      username: 'ubuntu',
      way: 'end-to-end',
      ssh_command: 'ssh -J gw.example.com:2222 -p 2200 ubuntu@h',
    });
    await run('host add gate root@h --egress-key');
    const { stdout } = await run('connect gate');
    expect(stdout).toContain('Way: through the gateway\nCommand: ssh -p 2222 rexec-gate@gw.example.com\n');
  });

  it('a renamed host keeps everything but its name', async () => {
    const { data } = await lobby.json(lobby.admin, 'host add "My DB" ubuntu@h');
    expect((await run('host rename my-db Old DB')).stdout).toBe(
      '"My DB" is "Old DB" (old-db) now. Connect with: ssh -J gw.example.com:2222 ubuntu@h\n',
    );
    expect((await lobby.json(lobby.admin, 'host show old-db')).data).toEqual({
      ...data,
      name: 'Old DB',
      slug: 'old-db',
    });
  });
});

describe('grants and tags of hosts, by command', () => {
  it('share, with users of the host’s list only, and tag', async () => {
    await run('host add prod ubuntu@h --users=app');
    const shared = await lobby.json(lobby.admin, 'share add prod olga --users=app --no-sftp');
    expect(shared.data).toMatchObject({
      target: 'prod',
      accounts: [{ account: 'olga', users: ['app'], no_sftp: true }],
    });
    const refused = await run('share add prod olga --users=app,root');
    expect(refused.stderr).toBe(
      'postern: the gateway logs in to prod as ubuntu, app only, and not as "root" (host add --users); ask whoever registered it.\n',
    );
    expect((await lobby.json(lobby.admin, 'tag prod ci')).data).toEqual({ target: 'prod', tags: ['ci'] });
    expect((await lobby.json(lobby.admin, 'share remove prod olga')).data.accounts).toEqual([]);
  });
});
