/** The requests of Scalingo's page, and what it answers to them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DialectApi, startDialect } from '../../support/dialect-api.ts';
import { makeKeyPair } from '../../support/ssh-client.ts';

let api: DialectApi;
let token: string;
beforeAll(async () => {
  api = await startDialect({
    folder: '/v1/keys',
    commands: 'ssh-key list,ssh-key add,ssh-key remove,whoami',
    headers: ['Accept: application/json'],
  });
  ({ token } = api);
});
afterAll(() => api.stop());

/** As the page prints it. */
const call: DialectApi['call'] = (...asked) => api.call(...asked);

interface Key {
  readonly id: string;
  readonly name: string;
}

const errorsOf = async (body: unknown) => {
  const answer = await call('POST', '', body);
  expect(answer.status).toBe(422);
  return answer.json<{ errors: object }>().errors;
};

describe('keys', () => {
  it('are allowed, listed, shown, and removed', async () => {
    const { publicKey } = await makeKeyPair('rsa');
    const content = `${publicKey.split(' ').slice(0, 2).join(' ')} example-user@scalingo.com`;
    const added = await call('POST', '', { key: { name: 'Office Laptop', content: `${content}\n` } });
    expect(added.status).toBe(201);
    const { key } = added.json<{ key: Key }>();
    expect(key).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      name: 'Office Laptop',
      content,
      fingerprint: expect.stringMatching(/^SHA256:/),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect((await call('GET')).json<{ keys: Key[] }>().keys).toContainEqual(key);
    expect((await call('GET', `/${key.id}`)).json()).toEqual({ key });
    const removed = await call('DELETE', `/${key.id}`);
    expect([removed.status, removed.body]).toEqual([204, '']);
    const gone = await call('GET', `/${key.id}`);
    expect([gone.status, gone.json()]).toEqual([404, { resource: 'key', error: 'not found' }]);
    expect((await call('DELETE', `/${key.id}`)).status).toBe(404);
    // Bare, and back again.
    expect((await call('POST', '', { name: 'Office Laptop', content })).status).toBe(201);
  });

  it('removed is effective at once', async () => {
    const pair = await makeKeyPair();
    const { key } = (await call('POST', '', { name: 'brief', content: pair.publicKey })).json<{ key: Key }>();
    expect((await api.ssh('whoami', { key: pair })).status).toBe(0);
    await call('DELETE', `/${key.id}`);
    expect((await api.ssh('whoami', { key: pair })).status).toBe(255);
  });

  it('that were added over SSH have their comment in the content', async () => {
    const { publicKey } = await makeKeyPair();
    const content = `${publicKey.split(' ').slice(0, 2).join(' ')} me@there`;
    await api.ssh('ssh-key add --name=by-ssh', { stdin: content });
    const { keys } = (await call('GET')).json<{ keys: Key[] }>();
    expect(keys.find(({ name }) => name === 'by-ssh')).toMatchObject({ content });
  });

  it('the page has two slashes in one place', async () => {
    expect((await api.ask({ token, path: '/v1//keys', args: ['-X', 'GET'] })).status).toBe(200);
  });
});

describe('what is wrong', () => {
  const missing = { key: ['missing field'] };
  const blank = ["can't be blank"];

  it.each([
    ['nothing', undefined, missing],
    ['an empty object', {}, missing],
    ['another root', { ssh_key: { name: 'a', content: 'b' } }, missing],
    ['a root that is null', { key: null }, missing],
    ['an array', [], missing],
    ['an empty root', { key: {} }, { name: blank, content: blank }],
    ['a root that is text', { key: 'x' }, { name: blank, content: blank }],
    ['no content', { name: 'a' }, { content: blank }],
    ['blanks', { key: { name: ' ', content: '\n' } }, { name: blank, content: blank }],
    ['numbers', { key: { name: 1, content: 2 } }, { name: ['is invalid'], content: ['is invalid'] }],
    ['no key', { name: 'a', content: 'ssh-ed25519 zzz' }, { content: ['is invalid'] }],
    ['a long name', { name: 'a'.repeat(256), content: 'b' }, { name: ['is invalid'] }],
    [
      'a long content',
      { name: 'a', content: `ssh-rsa AAAA${'a'.repeat(60_000)}` },
      { content: ['is invalid'] },
    ],
  ])('%s: 422, field by field', async (_what, body, errors) => {
    expect(await errorsOf(body)).toEqual(errors);
  });

  it('a name with a control character in it, or with a flag for a name', async () => {
    const { publicKey } = await makeKeyPair();
    expect(await errorsOf({ name: 'a\u0007b', content: publicKey })).toEqual({ name: ['is invalid'] });
    expect(await errorsOf({ name: 'a\nb', content: publicKey })).toEqual({ name: ['is invalid'] });
    const added = await call('POST', '', { name: '--exp=1d', content: publicKey });
    expect(added.json<{ key: Key }>().key.name).toBe('--exp=1d');
  });

  it('several keys, and options in front of one', async () => {
    const { publicKey } = await makeKeyPair();
    const invalid = { content: ['is invalid'] };
    expect(await errorsOf({ name: 'two', content: `${publicKey}\n${publicKey}` })).toEqual(invalid);
    expect(await errorsOf({ name: 'opt', content: `command="rm" ${publicKey}` })).toEqual(invalid);
    expect(await errorsOf({ name: 'opt', content: `restrict ${publicKey}` })).toEqual(invalid);
  });

  it('a name or a key that has been taken, by anybody', async () => {
    const alice = await api.addMember('alice');
    const [one, two] = [await makeKeyPair(), await makeKeyPair()];
    expect((await call('POST', '', { name: 'twice', content: one.publicKey })).status).toBe(201);
    const taken = ['has already been taken'];
    expect(await errorsOf({ name: 'twice', content: two.publicKey })).toEqual({ name: taken });
    expect(await errorsOf({ name: 'thrice', content: one.publicKey })).toEqual({ content: taken });
    expect(await errorsOf({ name: 'hers', content: alice.publicKey })).toEqual({ content: taken });
  });

  it('JSON that is none, as the page itself prints it', async () => {
    const answer = await call('POST', '', '{ "key" { "name" : "Office Laptop" } }');
    expect(answer.status).toBe(400);
    expect(answer.json<{ error: string }>().error).toMatch(
      /^There was a problem in the JSON you submitted: ./,
    );
  });

  it('malformed bodies of every sort get one of the two shapes of this API, and add nothing', async () => {
    const values = [null, true, -1, 1.5, '', ' ', '\0', [], {}, [[]], { a: 1 }, 'x'.repeat(300), '\ud800'];
    const texts = [
      ...values.flatMap((value) => [
        { key: value },
        { name: value, content: value },
        { key: { name: 'a', content: value } },
        { key: { name: value, content: 'ssh-ed25519 AAAA' } },
      ]),
      { key: { key: { name: 'a', content: 'b' } } },
    ].map((body) => Buffer.from(JSON.stringify(body)));
    const raw = [
      '{',
      '[',
      '"',
      'null',
      'NaN',
      '\xff\xfe',
      '\xef\xbb\xbf{}',
      '{"key":{"name":"a"',
      "{'key':1}",
    ];
    const hostile = [
      '{"__proto__":{"name":"a"}}',
      '{"key":{"constructor":{"prototype":1}}}',
      '['.repeat(20_000),
    ];
    const types = ['application/json', 'text/plain', 'multipart/form-data', 'application/xml', ''];
    const before = (await call('GET')).body;
    const bodies = [...texts, ...[...raw, ...hostile].map((text) => Buffer.from(text, 'latin1'))];
    for (const [index, line] of bodies.entries()) {
      const type = ['-H', `Content-Type: ${types[index % types.length]}`];
      const answer = await api.ask({ token, path: '/v1/keys', args: type, line });
      const shape = answer.status === 400 ? { error: expect.any(String) } : { errors: expect.any(Object) };
      expect([line.toString('latin1'), [400, 422].includes(answer.status), answer.json()]).toEqual([
        line.toString('latin1'),
        true,
        shape,
      ]);
      expect(answer.body).not.toMatch(/node_modules|\.ts:|\n\s+at /);
    }
    expect((await call('GET')).body).toBe(before);
  });

  it("404 for ids that are not there, somebody else's included, and for what is no id", async () => {
    const bob = await api.addMember('bob');
    const theirs = await api.apiKey('', bob);
    const { keys } = (await call('GET', '', undefined, theirs)).json<{ keys: Key[] }>();
    const ids = ['54dcde4a54636101231a0000', keys[0]?.id, 'x', '--help', 'ABCDEF0123456789ABCD0000', 'a%2Fb'];
    for (const id of ids) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await call(method, `/${id}`);
        expect([id, answer.status, answer.json()]).toEqual([
          id,
          404,
          { resource: 'key', error: 'not found' },
        ]);
      }
    }
    expect((await api.ssh('whoami', { key: bob })).status).toBe(0);
  });

  it('401, 403, 404, 405 and 413 are an error in words', async () => {
    const reader = await api.apiKey('--cmds="ssh-key list"');
    const { publicKey } = await makeKeyPair();
    const answers = [
      await call('GET', '', undefined, ''),
      await call('GET', '', undefined, 'exe1.nonsense'),
      await call('POST', '', { name: 'x', content: publicKey }, reader),
      await call('PUT'),
      await call('POST', '', { name: 'a', content: 'a'.repeat(70_000) }),
      await call('GET', '/a/b'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 405, 413, 404]);
    for (const answer of answers) {
      expect(answer.json()).toHaveProperty('error', expect.any(String));
      expect(Object.keys(answer.json())).toHaveLength(answer.status === 404 ? 2 : 1);
    }
    expect(answers[3]?.headers['allow']).toBe('GET, POST');
  });
});

it('who you are', async () => {
  const answer = await api.ask({ token, path: '/v1/users/self', args: ['-X', 'GET'] });
  expect(answer.json()).toEqual({
    user: {
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      username: 'admin',
      email: null,
      fullname: 'admin',
      flags: {},
    },
  });
  const other = await api.ask({ token, path: '/v1/users/other', args: ['-X', 'GET'] });
  expect([other.status, other.json()]).toEqual([404, { resource: 'user', error: 'not found' }]);
});
