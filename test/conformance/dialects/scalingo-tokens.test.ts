/** `POST /v1/tokens/exchange` with the real curl, and what its JWT is good for at every door. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, signExe0, startApi } from '../../support/http-api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi({ config: { tokenRatePerSecond: 1000 } });
});
afterAll(() => api.stop());

const exchange = (password: string, { user = '', args = [] as string[] } = {}) =>
  api.ask({ path: '/v1/tokens/exchange', args: ['-u', `${user}:${password}`, ...args] });

async function jwtFor(token: string): Promise<string> {
  const answer = await exchange(token);
  expect([answer.status, Object.keys(answer.json())]).toEqual([200, ['token']]);
  return answer.json<{ token: string }>().token;
}

const partsOf = (jwt: string) =>
  jwt
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

const paths = ['/v1/keys', '/v1/ssh-keys', '/api/account/ssh-keys'];
const statusesFor = async (token: string) => [
  ...(await Promise.all(
    paths.map(async (path) => (await api.ask({ token, path, args: ['-X', 'GET'] })).status),
  )),
  (await api.ask({ token, line: 'ssh-key list' })).status,
];
const all = (status: number) => [status, status, status, status];

describe('the JWT', () => {
  it('of an exe1 or exe0 is taken by every dialect and by POST /exec, and ends within the hour', async () => {
    for (const token of [await api.apiKey(), await signExe0(api.admin, {})]) {
      const jwt = await jwtFor(token);
      const [header, claims] = partsOf(jwt);
      expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
      expect(claims).toEqual({
        jti: expect.stringMatching(/^exe1\.[a-z2-7]{32}$/),
        exp: expect.any(Number),
      });
      const leftSeconds = Number(claims?.['exp']) - Date.now() / 1000;
      expect(leftSeconds).toBeGreaterThan(1790);
      expect(leftSeconds).toBeLessThanOrEqual(3600);
      expect(await statusesFor(jwt)).toEqual(all(200));
      const asApiKey = ['-X', 'GET', '-H', `x-api-key: ${jwt}`];
      expect((await api.ask({ path: '/api/account/ssh-keys', args: asApiKey })).status).toBe(200);
    }
  });

  it('allows what its token allows, and ends no later', async () => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const jwt = await jwtFor(await signExe0(api.admin, { cmds: ['ssh-key list'], exp }));
    expect(partsOf(jwt)[1]).toMatchObject({ exp });
    expect((await api.ask({ token: jwt, line: 'ssh-key list' })).status).toBe(200);
    expect((await api.ask({ token: jwt, line: 'whoami' })).status).toBe(403);
  });

  it('after-key-removed: dies with its key, on every door', async () => {
    const token = await api.apiKey('--label=brief');
    const jwt = await jwtFor(token);
    expect(await statusesFor(jwt)).toEqual(all(200));
    await api.ssh('ssh-key remove brief');
    expect(await statusesFor(jwt)).toEqual(all(401));
    expect(await statusesFor(String(partsOf(jwt)[1]?.['jti']))).toEqual(all(401));
    expect((await exchange(token)).status).toBe(401);
  });

  it('jwt-in-argv: is never shown in logs', async () => {
    const jwt = await jwtFor(await api.apiKey());
    await api.ask({ token: jwt, line: `whoami ${jwt}` });
    expect(JSON.stringify(await api.ask({ token: jwt, path: `/${jwt}`, args: ['-X', 'GET'] }))).not.toContain(
      jwt,
    );
    await api.ask({ token: `${jwt}x`, line: `exe0-to-exe1 ${jwt}` });
    const log = JSON.stringify(api.logged());
    expect(log).toContain('eyJ***');
    for (const part of jwt.split('.').slice(1)) expect(log).not.toContain(part);
  });

  it('is no exe0 that exe0-to-exe1 would take', async () => {
    const jwt = await jwtFor(await api.apiKey());
    const answer = await api.ask({ token: await api.apiKey(), line: `exe0-to-exe1 ${jwt}` });
    expect([answer.status, answer.json()['code']]).toEqual([422, 'invalid-token']);
  });
});

describe('attacks', () => {
  const refused = async (token: string) => expect(await statusesFor(token)).toEqual(all(401));

  it('alg-none, alg-swapped, exp-stretched, jti-of-another', async () => {
    const [mine, hers] = [await jwtFor(await api.apiKey()), await jwtFor(await api.apiKey())];
    const [head, body, signature] = mine.split('.') as [string, string, string];
    const claims = partsOf(mine)[1] as { jti: string; exp: number };
    const { jti } = partsOf(hers)[1] as { jti: string };
    await refused(`${encode({ alg: 'none', typ: 'JWT' })}.${body}.`);
    await refused(`${encode({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`);
    await refused(`${encode({ alg: 'HS512', typ: 'JWT' })}.${body}.${signature}`);
    await refused(`${head}.${encode({ ...claims, exp: claims.exp + 1 })}.${signature}`);
    await refused(`${head}.${encode({ ...claims, jti })}.${signature}`);
    await refused(`${head}.${body}.`);
    expect(await statusesFor(mine)).toEqual(all(200));
  });

  it('signed-with-the-handle: whoever takes the jti for the key has not got it', async () => {
    const jwt = await jwtFor(await api.apiKey());
    const { jti, exp } = partsOf(jwt)[1] as { jti: string; exp: number };
    const data = `${jwt.split('.')[0]}.${encode({ jti, exp: exp + 3600 })}`;
    await refused(`${data}.${createHmac('sha256', jti).update(data).digest('base64url')}`);
  });

  it('too-long: 8 KiB and 20 KiB', async () => {
    const jwt = await jwtFor(await api.apiKey());
    await refused(`${jwt}${'a'.repeat(7000)}`);
    const { status } = await api.ask({
      token: `${jwt}${'a'.repeat(20_000)}`,
      path: '/v1/keys',
      args: ['-X', 'GET'],
    });
    expect([401, 431]).toContain(status);
  });

  it('exchange-of-exchange: a JWT is no password, and its jti gets no longer one', async () => {
    const jwt = await jwtFor(await api.apiKey());
    expect((await exchange(jwt)).status).toBe(401);
    expect(await jwtFor(String(partsOf(jwt)[1]?.['jti']))).toBe(jwt);
  });
});

describe('what the exchange refuses', () => {
  it('anything but an empty user and a token as password: 401, an error in words', async () => {
    const token = await api.apiKey();
    const answers = [
      await exchange('exe1.nonsense'),
      await exchange(''),
      await exchange(token, { user: 'admin' }),
      await api.ask({ path: '/v1/tokens/exchange' }),
      await api.ask({ path: '/v1/tokens/exchange', token }),
      await api.ask({ path: '/v1/tokens/exchange', args: ['-H', 'Authorization: Basic !!'] }),
      await api.ask({
        path: '/v1/tokens/exchange',
        args: ['-H', `Authorization: Basic ${'QUFB'.repeat(3000)}`],
      }),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.json()]).toEqual([401, { error: expect.any(String) }]);
    }
  });

  it('a token for a container, one that has expired, and the wrong method', async () => {
    const scoped = await signExe0(api.admin, {}, 'v0@web.gw.example');
    const over = await signExe0(api.admin, { exp: Math.floor(Date.now() / 1000) - 1 });
    for (const token of [scoped, over]) expect((await exchange(token)).status).toBe(401);
    const wrongMethod = await exchange(await api.apiKey(), { args: ['-X', 'PUT'] });
    expect([wrongMethod.status, wrongMethod.headers['allow']]).toEqual([405, 'POST']);
  });
});
