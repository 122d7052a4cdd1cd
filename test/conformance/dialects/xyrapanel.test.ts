/** The requests of XyraPanel's page, and what it answers to them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DialectApi, startDialect } from '../../support/dialect-api.ts';
import { makeKeyPair } from '../../support/ssh-client.ts';

let api: DialectApi;
let token: string;
beforeAll(async () => {
  api = await startDialect({
    folder: '/api/account/ssh-keys',
    commands: 'ssh-key list,ssh-key add,ssh-key remove',
  });
  ({ token } = api);
});
afterAll(() => api.stop());

const call: DialectApi['call'] = (...asked) => api.call(...asked);

const envelope = (statusCode: number, message: string, path = '') => ({
  error: true,
  url: `/api/account/ssh-keys${path}`,
  statusCode,
  statusMessage: expect.any(String),
  message,
});

interface Listed {
  readonly data: readonly { readonly id: string; readonly name: string }[];
  readonly pagination: object;
}

describe('keys', () => {
  it('are added with 200, listed with pagination, and removed', async () => {
    const { publicKey, fingerprint } = await makeKeyPair();
    const added = await call('POST', '', { name: '  Work Laptop ', publicKey: `  ${publicKey}\n` });
    expect(added.status).toBe(200);
    const { data } = added.json<{ data: { id: string } }>();
    expect(data).toEqual({
      id: expect.any(String),
      name: 'Work Laptop',
      fingerprint,
      public_key: publicKey.split(' ').slice(0, 2).join(' '),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const { data: listed, pagination } = (await call('GET', '?page=1&limit=50')).json<Listed>();
    expect(listed[0]).toEqual(data);
    expect(pagination).toEqual({ page: 1, perPage: 50, total: listed.length, totalPages: 1 });
    const removed = await call('DELETE', `/${data.id}`);
    expect(removed.status).toBe(200);
    expect(removed.json()).toEqual({ success: true, message: 'SSH key deleted successfully' });
  });

  it('come the newest first, a page at a time', async () => {
    for (const name of ['first', 'second', 'third']) {
      await call('POST', '', { name, publicKey: (await makeKeyPair()).publicKey });
    }
    const page = async (number: number) => (await call('GET', `?page=${number}&limit=2`)).json<Listed>();
    expect((await page(1)).data.map(({ name }) => name)).toEqual(['third', 'second']);
    expect((await page(2)).data[0]?.name).toBe('first');
    expect((await page(99)).data).toEqual([]);
  });

  it.each([
    '?page=0&limit=0',
    '?page=-1&limit=101',
    '?page=x&limit=1.5',
    '?page=1&page=2&limit=',
    '?limit=1e2',
  ])('%s silently becomes page 1 of 50', async (query) => {
    const answer = await call('GET', query);
    expect(answer.status).toBe(200);
    expect(answer.json<Listed>().pagination).toMatchObject({ page: 1, perPage: 50 });
  });

  it('are for x-api-key too', async () => {
    const answer = await api.ask({
      path: '/api/account/ssh-keys',
      args: ['-X', 'GET', '-H', `x-api-key: ${token}`],
    });
    expect(answer.status).toBe(200);
  });
});

describe('what is wrong, in this order', () => {
  it.each([
    [{}, ['Name is required', 'Public key is required']],
    [{ name: ' ', publicKey: '' }, ['Name is required', 'Public key is required']],
    [{ name: 'a'.repeat(256), publicKey: 'x' }, ['Name too long']],
    [[], ['Name is required', 'Public key is required']],
  ])('%j: 400 Validation Error', async (body, messages) => {
    const answer = await call('POST', '', body);
    expect(answer.status).toBe(400);
    const { data, ...rest } = answer.json<{ data: { message: string }[] }>();
    expect(rest).toEqual(envelope(400, 'Validation Error'));
    expect(data.map(({ message }) => message)).toEqual(messages);
  });

  it.each(['no key', 'ssh-dss AAAAB3NzaC1kc3MAAA==', 'from="*" ssh-ed25519 AAAA'])(
    '%s is no key: 400',
    async (publicKey) => {
      const answer = await call('POST', '', { name: 'x', publicKey });
      expect([answer.status, answer.json()]).toEqual([400, envelope(400, 'Invalid SSH public key format')]);
    },
  );

  it('two-keys-in-one: no key either', async () => {
    const [one, two] = [await makeKeyPair(), await makeKeyPair()];
    const answer = await call('POST', '', { name: 'x', publicKey: `${one.publicKey}\n${two.publicKey}` });
    expect(answer.json()).toEqual(envelope(400, 'Invalid SSH public key format'));
  });

  it('a key that is there, anybody’s: 409', async () => {
    const alice = await api.addMember('alice');
    const answer = await call('POST', '', { name: 'x', publicKey: alice.publicKey });
    expect([answer.status, answer.json()]).toEqual([409, envelope(409, 'This SSH key already exists')]);
  });

  it('the 26th key: 400', async () => {
    const bob = await api.addMember('bob');
    const his = await api.apiKey('--cmds="ssh-key add"', bob);
    const keys = await Promise.all(Array.from({ length: 24 }, () => makeKeyPair()));
    const answers = [];
    for (const { publicKey } of keys) answers.push(await call('POST', '', { name: 'k', publicKey }, his));
    expect(answers.map(({ status }) => status)).toEqual([...Array(23).fill(200), 400]);
    expect(answers.at(-1)?.json()).toEqual(envelope(400, 'Maximum of 25 SSH keys allowed per account'));
  });

  it('401, 403, 404, 405, and no id', async () => {
    expect((await call('GET', '', undefined, '')).json()).toEqual(envelope(401, 'Unauthorized'));
    const reader = await api.apiKey('--cmds="ssh-key list"');
    const refused = await call('DELETE', '/x', undefined, reader);
    expect(refused.json()).toEqual(envelope(403, 'command not allowed by token permissions', '/x'));
    expect((await call('DELETE', '/nosuch')).json()).toEqual(envelope(404, 'SSH key not found', '/nosuch'));
    expect((await call('DELETE', '/')).json()).toEqual(envelope(400, 'Missing SSH key ID', '/'));
    expect((await call('PATCH', '/x')).status).toBe(405);
  });
});
