/** What Rexec's API refuses, and how it says so. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../../support/containers.ts';
import { images } from '../../support/engine.ts';
import { type RexecApi, rexecCommands, startRexec } from '../../support/rexec-api.ts';
import { makeKeyPair } from '../../support/ssh-client.ts';

let api: RexecApi;
let container: TestContainer;
beforeAll(async () => {
  api = await startRexec();
  container = await runContainer(images.busybox);
});
afterAll(async () => {
  await api.stop();
  await container.remove();
});

describe('what is wrong', () => {
  it('somebody-elses-key-id: 404, and the key stays', async () => {
    const bob = await api.addMember('bob');
    const { ssh_keys } = JSON.parse((await api.ssh('ssh-key list --json', { key: bob })).text) as {
      ssh_keys: { id: string; fingerprint: string }[];
    };
    for (const id of [
      ssh_keys[0]?.id,
      encodeURIComponent(String(ssh_keys[0]?.fingerprint)),
      'nosuch',
      '--help',
      '--yes',
    ]) {
      expect(await api.told('DELETE', `/keys/${id}`)).toEqual([404, { error: 'SSH key not found' }]);
    }
    expect((await api.ssh('whoami', { key: bob })).status).toBe(0);
  });

  it('key-in-the-name: a name of several lines adds one key', async () => {
    const [one, two] = [await makeKeyPair(), await makeKeyPair()];
    const added = await api.call('POST', '/keys', { name: `a\n${two.publicKey}`, public_key: one.publicKey });
    expect([added.status, added.json()['fingerprint']]).toEqual([201, one.fingerprint]);
    expect((await api.ssh('ssh-key list')).text).not.toContain(two.fingerprint);
    await api.call('DELETE', `/keys/${added.json()['id']}`);
  });

  it.each([
    ['nothing', {}, 'invalid request: name is required, public_key is required'],
    ['blanks', { name: ' ', public_key: null }, 'invalid request: name is required, public_key is required'],
    ['an array', [], 'invalid request: name is required, public_key is required'],
    ['a number', { name: 1, public_key: 'x' }, 'invalid request: name has the wrong type'],
    ['a long name', { name: 'a'.repeat(256), public_key: 'x' }, 'invalid request: name is too long'],
    ['no JSON', '{"name":', 'invalid request: the body is not JSON.'],
    ['no key', { name: 'a', public_key: 'no key' }, undefined],
  ])('with a key: %s', async (_what, body, message) => {
    const [status, json] = await api.told('POST', '/keys', body);
    expect([status, json]).toEqual([400, { error: message ?? expect.stringMatching(/^.*key/) }]);
  });

  it('private-key-pasted: refused, and said so', async () => {
    const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${'b3Bl'.repeat(40)}\n-----END OPENSSH PRIVATE KEY-----\n`;
    const [status, json] = await api.told('POST', '/keys', { name: 'a', public_key: privateKey });
    expect([status, json]).toEqual([400, { error: expect.stringContaining('that is the private key') }]);
    expect(JSON.stringify(api.logged())).not.toContain('b3Blb3Bl');
  });

  it.each([
    ['option-as-hostname', { hostname: '-oProxyCommand=reboot' }, /"-oProxyCommand=reboot" is neither/],
    ['option-as-username', { username: '-l' }, /cannot be a user name/],
    ['another-host-in-the-username', { username: 'root@evil.example' }, /is neither a DNS name/],
    ['port-in-the-hostname', { hostname: 'db.example.com:2222' }, /is neither a DNS name/],
    ['a hostname of colons', { hostname: ':' }, /is neither a DNS name/],
    ['a command for a hostname', { hostname: '$(reboot)' }, /is neither a DNS name/],
    ['identity-file-outside', { identity_file: '../postern.json' }, /is not in DATA\/identities/],
    ['identity-file-outside, by its path', { identity_file: '/etc/shadow' }, /is not in DATA\/identities/],
    ['a port too high', { port: 65_536 }, /"65536" is no port/],
    ['a port below 0', { port: -1 }, /"-1" is no port/],
    ['a port that is text', { port: '22' }, /^invalid request: port has the wrong type$/],
    ['no name', { name: '' }, /^invalid request: name is required$/],
    [
      'no hostname, no username',
      { hostname: null, username: '' },
      /^invalid request: hostname .*, username is/,
    ],
  ])('with a host: %s', async (_what, wrong, message) => {
    const host = { name: 'db', hostname: 'db.example.com', username: 'ubuntu', ...wrong };
    const [status, json] = await api.told('POST', '/hosts', host);
    expect([status, json]).toEqual([400, { error: expect.stringMatching(message) }]);
    expect((await api.call('GET', '/hosts')).json()).toEqual({ hosts: [], count: 0 });
  });

  it('hosts and containers that are not there, or not yours: 404', async () => {
    expect(await api.told('DELETE', '/hosts/nosuch')).toEqual([404, { error: 'host not found' }]);
    const carl = await api.addMember('carl');
    const his = await api.apiKey(`--cmds="${rexecCommands}"`, carl);
    const hidden = await api.call('POST', '/hosts', { name: 'x', hostname: 'x.example', username: 'root' });
    const id = String(hidden.json()['id']);
    expect(await api.told('DELETE', `/hosts/${id}`, undefined, his)).toEqual([
      404,
      { error: 'host not found' },
    ]);
    for (const [path, as] of [
      ['/connect/nosuch', api.token],
      [`/connect/${container.id}`, his],
      ['/connect/--help', api.token],
    ]) {
      expect(await api.told('GET', String(path), undefined, as)).toEqual([
        404,
        { error: 'container not found' },
      ]);
    }
    const [status] = await api.told(
      'POST',
      '/hosts',
      { name: 'y', hostname: 'y.example', username: 'root' },
      his,
    );
    expect(status).toBe(403);
    await api.call('DELETE', `/hosts/${id}`);
  });

  it('401, 403, 404, 405 with Allow, 413, each in the envelope', async () => {
    const bare = await api.ask({ path: '/api/ssh/keys', args: ['-X', 'GET'] });
    expect([bare.status, bare.json()]).toEqual([401, { error: 'Authorization token required' }]);
    expect(await api.told('GET', '/keys', undefined, 'exe1.nonsense')).toEqual([
      401,
      { error: 'Invalid or expired token' },
    ]);
    const reader = await api.apiKey('--cmds="ssh-key list"');
    for (const [method, path] of [
      ['POST', '/keys'],
      ['GET', '/hosts'],
      ['GET', '/connect/x'],
    ] as const) {
      const body = method === 'POST' ? { name: 'a', public_key: (await makeKeyPair()).publicKey } : undefined;
      expect(await api.told(method, path, body, reader)).toEqual([
        403,
        { error: 'command not allowed by token permissions' },
      ]);
    }
    expect(await api.told('GET', '/nosuch')).toEqual([404, { error: 'not found' }]);
    const wrong = await api.call('PUT', '/keys');
    expect([wrong.status, wrong.headers['allow'], wrong.json()]).toEqual([
      405,
      'GET, POST',
      { error: 'method not allowed' },
    ]);
    const large = await api.told('POST', '/keys', { name: 'a'.repeat(70_000), public_key: 'x' });
    expect(large).toEqual([413, { error: 'request body too large' }]);
  });
});
