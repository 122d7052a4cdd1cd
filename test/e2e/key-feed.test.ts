/** GET /ACCOUNT.keys, and what reads it: sshd's AuthorizedKeysCommand with curl, and ssh-import-id. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFile } from '../support/gateway.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { type KeyPair, makeKeyPair, runProgram, ssh } from '../support/ssh-client.ts';
import { startSshd } from '../support/sshd.ts';

let api: Api;
let alice: KeyPair;
beforeAll(async () => {
  api = await startApi({ config: { keyFeed: 'public' } });
  alice = await api.addMember('alice');
});
afterAll(() => api.stop());

const get = (path: string, ...headers: readonly string[]) =>
  api.ask({ path, args: ['-X', 'GET', '--path-as-is', ...headers.flatMap((header) => ['-H', header])] });
const lineOf = ({ publicKey }: KeyPair) => `${publicKey.split(' ').slice(0, 2).join(' ')}\n`;
const addKey = async (flags: string, key: KeyPair = alice) => {
  const added = await makeKeyPair();
  const { status, stderr } = await api.ssh(`ssh-key add ${flags}`, { key, stdin: added.publicKey });
  expect([status, stderr]).toEqual([0, '']);
  return added;
};

describe("an account's keys", () => {
  it('one a line, type and base64, plain text that is asked for again each time', async () => {
    const feed = await get('/alice.keys');
    expect([feed.status, feed.body]).toEqual([200, lineOf(alice)]);
    expect(feed.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    });
    const listed = await temporaryFile('feed.pub', feed.body);
    expect((await runProgram('ssh-keygen', ['-lf', listed])).text).toContain(alice.fingerprint);
  });

  it('unchanged, it is 304 to its ETag, and another one once a key is added', async () => {
    const etag = String((await get('/alice.keys')).headers['etag']);
    for (const asked of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await get('/alice.keys', `If-None-Match: ${asked}`);
      expect([asked, again.status, again.body, again.headers['etag']]).toEqual([asked, 304, '', etag]);
    }
    const second = await addKey('--name=second');
    const changed = await get('/alice.keys', `If-None-Match: ${etag}`);
    expect([changed.status, changed.body]).toEqual([200, lineOf(alice) + lineOf(second)]);
    await api.ssh('ssh-key remove second', { key: alice });
  });

  it('restricted-key-in-the-feed: none that can do less here, and none of programs', async () => {
    for (const flag of ['--tag=ci', '--from=192.0.2.0/24', '--restrict']) await addKey(flag);
    await api.apiKey('', alice);
    const passing = await addKey('--exp=1d');
    expect((await get('/alice.keys')).body).toBe(lineOf(alice) + lineOf(passing));
  });

  it('404 for accounts that are not there or disabled, and for every other name', async () => {
    await api.addMember('dora');
    expect((await get('/dora.keys')).status).toBe(200);
    await api.ssh('account disable dora');
    const missing = await get('/nosuch.keys');
    expect(missing.status).toBe(404);
    for (const path of [
      '/dora.keys',
      '/__proto__.keys',
      '/.keys',
      '/Alice.keys',
      '/alice%00.keys',
      '/alice.keys.keys',
      '/%2e%2e%2falice.keys',
      `/${'a'.repeat(33)}.keys`,
    ]) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
    expect((await get('/dora.keys')).body).toBe(missing.body);
  });

  it('is off unless configured', async () => {
    const quiet = await startApi();
    const answer = await quiet.ask({ path: '/admin.keys', args: ['-X', 'GET'] });
    expect(answer.status).toBe(404);
    expect((await quiet.ask({ path: '/openapi.json', args: ['-X', 'GET'] })).body).not.toContain('.keys');
    await quiet.stop();
  });
});

describe('the recipes of README', () => {
  it('a server with AuthorizedKeysCommand lets in whose key is there, and nobody once it is removed', async () => {
    const { username } = userInfo();
    await api.ssh(`account add ${username}`);
    const sshd = await startSshd([
      'AuthorizedKeysFile none',
      `AuthorizedKeysCommand /usr/bin/curl -sf --max-time 5 ${api.url}/%u.keys`,
      `AuthorizedKeysCommandUser ${process.getuid?.() === 0 ? 'nobody' : username}`,
    ]);
    try {
      const [mine, narrow] = [await makeKeyPair(), await makeKeyPair()];
      const login = (key: KeyPair) => ssh(sshd, 'echo in', { key, login: username });
      expect((await login(mine)).status).toBe(255);
      await api.ssh(`account add-key ${username} --name=mine`, { stdin: mine.publicKey });
      await api.ssh(`account add-key ${username} --name=narrow --from=192.0.2.0/24`, {
        stdin: narrow.publicKey,
      });
      expect(await login(mine)).toMatchObject({ status: 0, text: 'in\n' });
      expect((await login(narrow)).status).toBe(255);
      expect((await login(alice)).status).toBe(255);
      await api.ssh('ssh-key remove mine --yes', { key: mine });
      expect(await login(mine)).toMatchObject({
        status: 255,
        stderr: expect.stringContaining('Permission denied'),
      });
    } finally {
      await sshd.stop();
    }
  });

  it('ssh-import-id takes the keys over', async () => {
    const file = await temporaryFile('authorized_keys', '');
    const imported = await runProgram('ssh-import-id', ['-o', file, 'alice'], {
      env: { URL: `${api.url}/%s.keys` },
    });
    expect([imported.status, imported.stderr]).toEqual([0, expect.stringContaining('Authorized')]);
    const keys = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    const fed = (await get('/alice.keys')).body.split('\n').filter((line) => line !== '');
    expect(keys).toEqual(fed.map((line) => `${line} # ssh-import-id lp:alice`));
    const missing = await runProgram('ssh-import-id', ['-o', file, 'nosuch'], {
      env: { URL: `${api.url}/%s.keys` },
    });
    expect(missing.status).toBe(1);
  });
});
