/** The requests of Raidboxes' page, and what it answers to them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DialectApi, startDialect } from '../../support/dialect-api.ts';
import { makeKeyPair } from '../../support/ssh-client.ts';

let api: DialectApi;
let token: string;
beforeAll(async () => {
  api = await startDialect({
    folder: '/v1/ssh-keys',
    commands: 'ssh-key list,ssh-key add,ssh-key remove',
  });
  ({ token } = api);
});
afterAll(() => api.stop());

const call: DialectApi['call'] = (...asked) => api.call(...asked);

const envelope = (message: string, path = '/v1/ssh-keys') => ({
  timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/),
  message,
  path,
  request_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
});

describe('keys', () => {
  it('are added, listed as a bare array, and removed', async () => {
    const { publicKey } = await makeKeyPair('rsa');
    const added = await call('POST', '', { title: 'My Laptop Key', key: publicKey });
    expect(added.status).toBe(201);
    const { data } = added.json<{ data: { id: string } }>();
    expect(data).toEqual({
      id: expect.any(String),
      fingerprint: expect.stringMatching(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/),
      title: 'My Laptop Key',
    });
    expect((await call('GET')).json<object[]>()).toContainEqual(data);
    expect((await api.ssh('ssh-key list')).text).toContain('My Laptop Key');
    const removed = await call('DELETE', `/${data.id}`);
    expect([removed.status, removed.body]).toEqual([204, '']);
    expect((await call('GET')).json<object[]>()).not.toContainEqual(data);
    expect((await call('POST', '', { title: 'Back', key: publicKey })).status).toBe(201);
  });

  it('that were added over SSH are there, with the fingerprint that ssh-keygen prints', async () => {
    const { publicKey } = await makeKeyPair();
    await api.ssh('ssh-key add --name=by-ssh', { stdin: publicKey });
    const listed = (await call('GET')).json<{ title: string; id: string }[]>();
    const mine = listed.find(({ title }) => title === 'by-ssh');
    expect((await call('DELETE', `/${mine?.id}`)).status).toBe(204);
    expect((await api.ssh('ssh-key list')).text).not.toContain('by-ssh');
  });

  it('whose title is taken get a number', async () => {
    const titles = [];
    for (let count = 0; count < 2; count++) {
      const { publicKey } = await makeKeyPair();
      titles.push(
        (await call('POST', '', { title: 'Same', key: publicKey })).json<{ data: { title: string } }>(),
      );
    }
    expect(titles.map(({ data }) => data.title)).toEqual(['Same', 'Same (2)']);
  });
});

describe('what is wrong', () => {
  const required = (field: string) => [{ message: `The ${field} field is required.` }];

  it.each([
    ['nothing', {}],
    ['null', { title: null, key: null }],
    ['blanks', { title: ' ', key: '\n' }],
    ['an array', []],
    ['a string', '"x"'],
  ])('%s: each field, the first one on top', async (_what, body) => {
    const answer = await call('POST', '', body);
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({
      ...envelope('The title field is required. (and 1 more error)'),
      details: { title: required('title'), key: required('key') },
    });
  });

  it.each([
    [
      'a long title',
      { title: 'a'.repeat(256), key: 'KEY' },
      'The title field must not be greater than 255 characters.',
    ],
    ['no key', { title: 'a', key: 'no key' }, 'The key field format is invalid.'],
    ['a number for a key', { title: 'a', key: 7 }, 'The key field format is invalid.'],
    ['two keys in one', { title: 'a', key: 'KEY\nKEY' }, undefined],
  ])('%s', async (_what, body, message) => {
    const { publicKey } = await makeKeyPair();
    const answer = await call('POST', '', JSON.parse(JSON.stringify(body).replace('KEY', publicKey)));
    if (message === undefined) expect([201, 400]).toContain(answer.status);
    else expect(answer.json<{ message: string }>().message).toBe(message);
  });

  it('a key that is there, anybody’s: 400', async () => {
    const alice = await api.addMember('alice');
    const answer = await call('POST', '', { title: 'hers', key: alice.publicKey });
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({
      ...envelope('The key has already been taken.'),
      details: { key: [{ message: 'The key has already been taken.' }] },
    });
  });

  it('401 without a token that is good', async () => {
    for (const bad of ['', 'exe1.nonsense']) {
      const answer = await call('GET', '', undefined, bad);
      expect(answer.status).toBe(401);
      expect(answer.json()).toEqual(envelope('Unauthenticated.'));
    }
  });

  it("404 for what is not there, somebody else's key included", async () => {
    const bob = await api.addMember('bob');
    const hers = (await api.ssh('ssh-key list --json', { key: bob })).text;
    const { ssh_keys } = JSON.parse(hers) as { ssh_keys: { id: string }[] };
    for (const id of ['nosuch', String(ssh_keys[0]?.id), 'a%2Fb']) {
      const answer = await call('DELETE', `/${id}`);
      expect([id, answer.status]).toEqual([id, 404]);
      expect(answer.json<{ message: string }>().message).toBe('Request not found.');
    }
    expect((await api.ssh('whoami', { key: bob })).status).toBe(0);
  });

  it('option-as-id: an id is never a flag', async () => {
    expect((await call('DELETE', '/--help')).status).toBe(404);
    expect((await call('DELETE', '/--yes')).status).toBe(404);
  });

  it('403 for a token that does not name the command, 405 and 404 for the rest, 413, 400', async () => {
    const reader = await api.apiKey('--cmds="ssh-key list"');
    const { publicKey } = await makeKeyPair();
    const refused = await call('POST', '', { title: 'x', key: publicKey }, reader);
    expect(refused.status).toBe(403);
    expect(refused.json<{ message: string }>().message).toBe('command not allowed by token permissions');
    const wrongMethod = await call('PUT');
    expect([wrongMethod.status, wrongMethod.headers['allow']]).toEqual([405, 'GET, POST']);
    expect((await call('GET', '/a/b/c')).status).toBe(404);
    expect((await call('POST', '', JSON.stringify({ title: 'a'.repeat(70_000), key: 'x' }))).status).toBe(
      413,
    );
    expect((await call('POST', '', '{"title":')).status).toBe(400);
    expect((await call('POST', '', '{"title":"a","__proto__":{"key":"x"}}')).status).toBe(400);
  });

  it('slashes that are repeated count once', async () => {
    expect((await api.ask({ token, path: '//v1///ssh-keys', args: ['-X', 'GET'] })).status).toBe(200);
  });
});
