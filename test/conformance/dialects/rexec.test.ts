/** Rexec's keys, hosts and `connect`: each request as its page prints it, and what it answers. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../../support/containers.ts';
import { images } from '../../support/engine.ts';
import { type RexecApi, startRexec } from '../../support/rexec-api.ts';
import { makeKeyPair, runProgram } from '../../support/ssh-client.ts';

let api: RexecApi;
let container: TestContainer;
beforeAll(async () => {
  api = await startRexec({ config: { maxKeysPerAccount: 6 } });
  container = await runContainer(images.debian, ['--user', 'app']);
});
afterAll(async () => {
  await api.stop();
  await container.remove();
});

/** A request as the page prints it, but for host, token, ids, and a whole key. */
async function printed(request: string, changes: Readonly<Record<string, string>> = {}) {
  const filled = Object.entries({
    'https://api.rexec.sh': api.url,
    YOUR_TOKEN: api.token,
    ...changes,
  }).reduce((text, [from, to]) => text.replace(from, to), request);
  const ran = await runProgram('sh', ['-c', `${filled} -s -w '\\n%{http_code}'`]);
  const [, body = '', status] = /^([\s\S]*)\n(\d+)$/.exec(ran.text) ?? [];
  return { status: Number(status), json: JSON.parse(body) as Record<string, unknown> };
}

describe('the requests of the page', () => {
  it('list, add and delete SSH keys', async () => {
    const { publicKey, fingerprint } = await makeKeyPair();
    const [type, base64] = publicKey.split(' ');
    const added = await printed(
      `curl -X POST https://api.rexec.sh/api/ssh/keys \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "MacBook Pro",
    "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvZ..."
  }'`,
      { 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvZ...': publicKey },
    );
    const key = {
      id: expect.stringMatching(/^[a-z2-7]+$/),
      name: 'MacBook Pro',
      public_key: `${type} ${base64}`,
      fingerprint,
      key_type: 'ed25519',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      last_used_at: null,
    };
    expect(added).toEqual({ status: 201, json: { ...key, message: 'SSH key added successfully' } });
    const listed = await printed(`curl https://api.rexec.sh/api/ssh/keys \\
  -H "Authorization: Bearer YOUR_TOKEN"`);
    const { keys, count } = listed.json as { keys: object[]; count: number };
    expect([listed.status, count]).toEqual([200, keys.length]);
    expect(keys).toContainEqual(key);
    expect((await api.ssh('ssh-key list')).text).toContain('MacBook Pro');
    const id = added.json['id'] as string;
    const removed = await printed(
      `curl -X DELETE https://api.rexec.sh/api/ssh/keys/key_123 \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
      { key_123: id },
    );
    expect(removed).toEqual({ status: 200, json: { message: 'SSH key deleted successfully', id } });
    expect((await api.ssh('ssh-key list')).text).not.toContain('MacBook Pro');
  });

  it('list, add and delete remote hosts', async () => {
    const added = await printed(`curl -X POST https://api.rexec.sh/api/ssh/hosts \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "Production DB",
    "hostname": "db.example.com",
    "username": "ubuntu",
    "port": 22
  }'`);
    const host = {
      id: expect.stringMatching(/^[a-z2-7]+$/),
      name: 'Production DB',
      hostname: 'db.example.com',
      port: 22,
      username: 'ubuntu',
      identity_file: '',
      ssh_command: `ssh -J gw.example:${api.port} ubuntu@db.example.com`,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    };
    expect(added).toEqual({ status: 201, json: host });
    const listed = await printed(`curl https://api.rexec.sh/api/ssh/hosts \\
  -H "Authorization: Bearer YOUR_TOKEN"`);
    expect(listed).toEqual({ status: 200, json: { hosts: [host], count: 1 } });
    expect((await api.ssh('host list')).text).toContain('Production DB');
    const removed = await printed(
      `curl -X DELETE https://api.rexec.sh/api/ssh/hosts/host_123 \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
      { host_123: added.json['id'] as string },
    );
    expect(removed).toEqual({ status: 200, json: { message: 'Remote host deleted' } });
    expect((await api.ssh('host list')).text).toBe('no hosts\n');
  });

  it('connection info: the command works as it stands', async () => {
    const info = (id: string) =>
      printed(
        `curl https://api.rexec.sh/api/ssh/connect/cont_123 \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
        { cont_123: id },
      );
    const answer = await info(container.id);
    expect(answer).toEqual({
      status: 200,
      json: {
        host: 'gw.example',
        port: api.port,
        username: 'app',
        container_id: container.id,
        container_name: container.name,
        ssh_command: `ssh -p ${api.port} rexec-${container.name}@gw.example`,
      },
    });
    expect(await info(`cont_${container.id.slice(0, 12)}`)).toEqual(answer);
    const here = (answer.json['ssh_command'] as string)
      .replace('gw.example', '127.0.0.1')
      .replace('ssh', `ssh -F /dev/null -i ${api.admin.file} -o UserKnownHostsFile=${api.knownHosts}`);
    expect((await runProgram('sh', ['-c', `${here} id -un`])).text).toBe('app\n');
  });
});

describe('keys', () => {
  it.each([
    ['rsa', 'rsa'],
    ['ecdsa', 'ecdsa'],
  ])('of type %s are told as %s, and whoever has used one sees when', async (type, expected) => {
    const pair = await makeKeyPair(type);
    const { status, json } = await api.call('POST', '/keys', { name: type, public_key: pair.publicKey });
    expect([status, json()['key_type']]).toEqual([201, expected]);
    expect((await api.ssh('whoami', { key: pair })).status).toBe(0);
    const lastUsed = async () => {
      const { keys } = (await api.call('GET', '/keys')).json<{
        keys: { id: string; last_used_at: unknown }[];
      }>();
      return keys.find(({ id }) => id === json()['id'])?.last_used_at;
    };
    await expect.poll(lastUsed).toMatch(/^\d{4}-/);
    expect((await api.call('DELETE', `/keys/${json()['id']}`)).status).toBe(200);
  });

  it('a key that is there already: 409, with the name it has; of another account, with the name that was asked for', async () => {
    const alice = await api.addMember('alice');
    const add = (key: { publicKey: string }) =>
      api.told('POST', '/keys', { name: 'mine', public_key: key.publicKey });
    const conflict = (fingerprint: string, name: string) => [
      409,
      { error: 'SSH key already exists', fingerprint, name },
    ];
    const { ssh_keys } = JSON.parse((await api.ssh('ssh-key list --json')).text) as {
      ssh_keys: { name: string }[];
    };
    expect(await add(api.admin)).toEqual(conflict(api.admin.fingerprint, String(ssh_keys[0]?.name)));
    expect(await add(alice)).toEqual(conflict(alice.fingerprint, 'mine'));
  });

  it('beyond the limit: 403 with limit and count', async () => {
    const ids = [];
    for (;;) {
      const { publicKey } = await makeKeyPair();
      const answer = await api.call('POST', '/keys', { name: 'one more', public_key: publicKey });
      if (answer.status === 201) {
        ids.push(answer.json()['id']);
        continue;
      }
      expect([answer.status, answer.json()]).toEqual([
        403,
        { error: 'SSH key limit reached', limit: 6, current: 6 },
      ]);
      break;
    }
    for (const id of ids) expect((await api.call('DELETE', `/keys/${id}`)).status).toBe(200);
  });
});

describe('hosts', () => {
  it('a host may leave out its port or say 0, have an address of any kind, a name like a flag, and an identity file', async () => {
    const identities = join(api.dataDir, 'identities');
    await mkdir(identities);
    const { file } = await makeKeyPair();
    await copyFile(file, join(identities, 'db'));
    for (const [host, expected] of [
      [{ hostname: 'a.example' }, { port: 22 }],
      [
        { hostname: 'a.example', port: 0, identity_file: '' },
        { port: 22, identity_file: '' },
      ],
      [
        { hostname: '2001:db8::1', port: 2200 },
        { hostname: '2001:db8::1', port: 2200 },
      ],
      [{ hostname: 'a.example', name: '--shared' }, { name: '--shared' }],
      [{ hostname: 'a.example', identity_file: 'db' }, { identity_file: 'db' }],
    ] as const) {
      const added = await api.call('POST', '/hosts', { name: 'a host', username: 'root', ...host });
      expect([added.status, added.json()]).toEqual([201, expect.objectContaining(expected)]);
      const again = await api.call('POST', '/hosts', { name: 'a host', username: 'root', ...host });
      expect(again.status).toBe(409);
      expect((await api.call('DELETE', `/hosts/${added.json()['id']}`)).status).toBe(200);
    }
  });
});
