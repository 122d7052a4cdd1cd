/** POST /exec with the real curl: every status it has. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images, removeContainer, startContainer } from '../support/engine.ts';
import { type Api, startApi } from '../support/http-api.ts';
import type { KeyPair } from '../support/ssh-client.ts';

let api: Api;
let web: TestContainer;
let all: string;
let alice: KeyPair;
beforeAll(async () => {
  [api, web] = await Promise.all([
    startApi({ config: { tokenRatePerSecond: 1000 } }),
    runContainer(images.busybox),
  ]);
  all = await api.apiKey('--cmds="ssh,ls,whoami,help,ssh-key list,ssh-key remove,account list,exe0-to-exe1"');
  alice = await api.addMember('alice');
});
afterAll(async () => {
  await Promise.all([api.stop(), web.remove()]);
});

const ask = (line: string | Buffer, args: readonly string[] = [], token = all) =>
  api.ask({ token, line, args });

describe('the statuses', () => {
  it('200: the body is what --json prints over SSH', async () => {
    const answer = await ask('ls');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    // Other tests' containers come and go between the two, and of those that run it is told for how long.
    const still = await startContainer({ stopped: true });
    const [overHttp, overSsh] = await Promise.all([ask('ls'), api.ssh('ls --json')]);
    type Listed = { readonly containers: readonly { readonly name: string; readonly status: string }[] };
    const ours = ({ containers, ...rest }: Listed) => ({
      members: Object.keys(rest),
      still: containers.filter(({ name }) => name === still.name),
      running: containers.flatMap((each) => (each.name === web.name ? [{ ...each, status: 'Up' }] : [])),
    });
    const told = ours(overHttp.json<Listed>());
    expect([told.still.length, told.running.length]).toEqual([1, 1]);
    expect(told).toEqual(ours(JSON.parse(overSsh.text) as Listed));
    await removeContainer(still);
  });

  it('200: --help answers JSON and does nothing', async () => {
    const answer = await ask('ssh-key remove --help');
    expect(answer.status).toBe(200);
    expect(answer.json<{ commands: { name: string }[] }>().commands[0]?.name).toBe('ssh-key remove');
  });

  it('200 whatever the Content-Type says', async () => {
    for (const type of ['application/json', 'text/plain', 'nonsense', 'multipart/form-data; boundary=x']) {
      expect((await ask('whoami', ['-H', `Content-Type: ${type}`])).status).toBe(200);
    }
    expect((await ask('whoami', ['-H', 'Content-Type:'])).status).toBe(200);
  });

  it.each([
    ['an empty body', ''],
    ['blanks', ' \n\t '],
    ['an open quote', 'ls "'],
    ['a flag there is not', 'ls --nonsense'],
    ['a word too many', 'whoami now'],
    ['half a command', 'ssh-key'],
    ['no UTF-8', Buffer.from([0x6c, 0x73, 0x20, 0xff])],
  ])('400: %s', async (_what, line) => {
    const answer = await ask(line);
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({ error: expect.any(String), code: 'usage' });
  });

  it('401: one text for no token, a malformed one, and one that is not there', async () => {
    const bad = [undefined, '', 'x', 'exe0.e30.AAAA', `exe1.${'a'.repeat(32)}`];
    const answers = await Promise.all(bad.map((token) => api.ask({ token, line: 'whoami' })));
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    const causes = api.logged().flatMap(({ audit, reason }) => (audit === 'login-refused' ? [reason] : []));
    expect(causes).toContain('token: there is no such exe1 token');
    expect(causes).toContain('token: its signature is none of ssh-keygen -Y sign');
  });

  it('401 before the body is read, however much there is of it', async () => {
    const answer = await api.ask({ token: 'exe1.no', line: Buffer.alloc(10_000_000, 'a') });
    expect(answer.status).toBe(401);
  });

  it('403: a command that the token does not name', async () => {
    const answer = await ask('ssh-key list', [], await api.apiKey('--cmds=whoami'));
    expect(answer.status).toBe(403);
    expect(answer.json()).toEqual({
      error: 'command not allowed by token permissions',
      code: 'token-not-allowed',
    });
  });

  it('403: a command that the account may not run, whatever the token says', async () => {
    const token = await api.apiKey('--cmds="account list"', alice);
    const answer = await ask('account list', [], token);
    expect(answer.status).toBe(403);
    expect(answer.json<{ code: string }>().code).toBe('not-allowed');
  });

  it('404: no such command', async () => {
    const answer = await ask('nonsense');
    expect(answer.status).toBe(404);
    expect(answer.json<{ code: string }>().code).toBe('unknown-command');
  });

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'])('405: %s', async (method) => {
    const answer = await api.ask({ token: all, args: ['-X', method] });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('POST');
    expect(answer.json<{ code: string }>().code).toBe('method-not-allowed');
  });

  it('413: one byte more than 65536', async () => {
    const line = (bytes: number) => `whoami${' '.repeat(bytes - 'whoami'.length)}`;
    expect((await ask(line(65_536))).status).toBe(200);
    const answer = await ask(line(65_537));
    expect(answer.status).toBe(413);
    expect(answer.json()).toEqual({ error: expect.stringContaining('65536'), code: 'body-too-large' });
  });

  it('422: the command ran and failed', async () => {
    for (const line of ['ssh-key remove nosuch', 'ssh nosuch ls', 'exe0-to-exe1 exe0.e30.AAAA']) {
      const answer = await ask(line);
      expect(answer.status).toBe(422);
      expect(answer.json()).toEqual({ error: expect.any(String), code: expect.any(String) });
    }
  });

  it('504: a program that says nothing for too long is ended, and its container knows no more of it', async () => {
    // For one line alone: what others ask for may take longer on a busy machine.
    const hasty = await startApi({ config: { execTimeoutMs: 2_000, execSessionTimeoutMs: 3_000 } });
    try {
      const token = await hasty.apiKey('--cmds=ssh');
      const answer = await hasty.ask({ token, line: `ssh ${web.name} sleep 4321` });
      expect(answer.status).toBe(504);
      expect(answer.json<{ code: string }>().code).toBe('timed-out');
      await expect.poll(() => web.sh('ps'), { timeout: 20_000 }).not.toContain('sleep 4321');
    } finally {
      await hasty.stop();
    }
  });
});

describe('around the commands', () => {
  it('each answer has an id, which stands in the log', async () => {
    const answer = await ask('whoami');
    const id = answer.headers['x-request-id'];
    expect(id).toMatch(/^[a-z2-7]{16}$/);
    await expect
      .poll(() => api.logged().find(({ requestId }) => requestId === id))
      .toMatchObject({
        method: 'POST',
        path: '/exec',
        status: 200,
        account: 'admin',
      });
  });

  it('/openapi.json says what there is', async () => {
    const answer = await api.ask({ path: '/openapi.json', args: ['-X', 'GET'] });
    const { openapi, paths } = answer.json<{
      openapi: string;
      paths: Record<string, Record<string, object>>;
    }>();
    expect(openapi).toMatch(/^3\./);
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/exec', '/healthz', '/readyz']));
    expect(Object.keys((paths['/exec'] as { post: { responses: object } }).post.responses)).toEqual(
      expect.arrayContaining(['200', '400', '401', '403', '404', '413', '422', '429', '500', '504']),
    );
  });

  it('no page: 404 in the same shape', async () => {
    const answer = await api.ask({ path: '/nothing?token=exe1.abcdefabcdef', args: ['-X', 'GET'] });
    expect(answer.status).toBe(404);
    expect(answer.json()).toEqual({ error: expect.any(String), code: 'no-such-page' });
  });
});
