/** The real client of Scalingo, the npm package `scalingo`, unmodified, against a running gateway. */
import { Client, clientFromToken } from 'scalingo';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../../support/http-api.ts';
import { makeKeyPair } from '../../support/ssh-client.ts';

let api: Api;
let token: string;
beforeAll(async () => {
  api = await startApi({ config: { tokenRatePerSecond: 1000 } });
  token = await api.apiKey('--cmds="ssh-key list,ssh-key add,ssh-key remove,whoami"');
});
afterAll(() => api.stop());

const withToken = (shown: string) => new Client(shown, { authApiUrl: api.url });

describe.each([
  ['that shows its token', async () => withToken(token)],
  ['that exchanges its token first', () => clientFromToken(token, { authApiUrl: api.url })],
])('a client %s', (_what, open) => {
  let client: Client;
  beforeEach(async () => {
    client = await open();
  });

  it('lists, shows, creates and destroys keys', async () => {
    const { publicKey } = await makeKeyPair();
    const key = await client.Keys.create('Office Laptop', `${publicKey}\n`);
    expect(key).toMatchObject({ name: 'Office Laptop', content: publicKey.trim() });
    expect(await client.Keys.show(key.id)).toEqual(key);
    expect(await client.Keys.all()).toContainEqual(key);
    expect((await api.ssh('ssh-key list')).text).toContain('Office Laptop');
    await client.Keys.destroy(key.id);
    expect(await client.Keys.all()).not.toContainEqual(key);
    await expect(client.Keys.show(key.id)).rejects.toMatchObject({ status: 404, message: 'not found' });
  });

  it('knows who it is', async () => {
    expect(await client.Users.self()).toMatchObject({ username: 'admin', fullname: 'admin', flags: {} });
  });

  it('gets its errors', async () => {
    const id = '54dcde4a54636101231a0000';
    const none = { status: 404, data: { resource: 'key', error: 'not found' } };
    await expect(client.Keys.show(id)).rejects.toMatchObject(none);
    await expect(client.Keys.destroy(id)).rejects.toMatchObject(none);
    await expect(client.Keys.create('', '')).rejects.toMatchObject({
      status: 422,
      data: { errors: { name: ["can't be blank"], content: ["can't be blank"] } },
    });
    await expect(client.Keys.create('a', 'b')).rejects.toMatchObject({
      status: 422,
      data: { errors: { content: ['is invalid'] } },
    });
    const [key] = await client.Keys.all();
    await expect(client.Keys.create('again', key?.content ?? '')).rejects.toMatchObject({
      status: 422,
      data: { errors: { content: ['has already been taken'] } },
    });
  });
});

it('a client with a token that is none, or not for this', async () => {
  const unauthorized = { status: 401, message: expect.stringContaining('token') };
  await expect(withToken('exe1.nonsense').Keys.all()).rejects.toMatchObject(unauthorized);
  await expect(clientFromToken('exe1.nonsense', { authApiUrl: api.url })).rejects.toMatchObject(unauthorized);
  const reader = withToken(await api.apiKey('--cmds="ssh-key list"'));
  expect(await reader.Keys.all()).not.toEqual([]);
  const { publicKey } = await makeKeyPair();
  await expect(reader.Keys.create('x', publicKey)).rejects.toMatchObject({
    status: 403,
    message: 'command not allowed by token permissions',
  });
});
