/** POST /exec with the real curl: every status it has, and what a program writes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { type Api, startApi } from '../support/http-api.ts';
import type { KeyPair } from '../support/ssh-client.ts';

let api: Api;
let web: TestContainer;
let all: string;
let alice: KeyPair;
beforeAll(async () => {
  [api, web] = await Promise.all([
    startApi({ config: { execTimeoutMs: 2_000, execSessionTimeoutMs: 3_000, tokenRatePerSecond: 1000 } }),
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
    const overSsh = await api.ssh('ls --json');
    expect(answer.json<{ containers: unknown[] }>().containers).toEqual(
      (JSON.parse(overSsh.text) as { containers: unknown[] }).containers,
    );
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
    const answer = await ask(`ssh ${web.name} sleep 4321`);
    expect(answer.status).toBe(504);
    expect(answer.json<{ code: string }>().code).toBe('timed-out');
    await expect.poll(() => web.sh('ps'), { timeout: 10_000 }).not.toContain('sleep 4321');
  });
});

describe('ssh TARGET CMD', () => {
  it('streams both outputs as they come, with the exit status as a trailer', async () => {
    const answer = await ask(`ssh ${web.name} echo out; echo err >&2; exit 3`);
    expect(answer.status).toBe(200);
    expect(answer.body.split('\n').sort()).toEqual(['', 'err', 'out']);
    expect(answer.trailers).toEqual({ 'x-exe-exit': '3' });
    expect(answer.headers['x-exe-exit']).toBeUndefined();
  });

  it('has the exit status as a header where there was no output', async () => {
    const answer = await ask(`ssh ${web.name} exit 5`);
    expect(answer.headers['x-exe-exit']).toBe('5');
    expect(answer.trailers['x-exe-exit']).toBe('5');
  });

  it('comes while the program still runs', async () => {
    const startedAt = Date.now();
    const answer = await ask(`ssh ${web.name} echo first; sleep 1.5; echo last`, ['--max-time', '1']);
    expect(answer.body).toBe('first\n');
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });

  it('ours reads up to TARGET; what follows is for the shell of the container, as over SSH', async () => {
    const answer = await ask(`ssh ${web.name} printf "%s|" "a  b" $((2+3)) "\\$HOME"`);
    expect(answer.body).toContain('|');
    const overSsh = await api.ssh(`ssh ${web.name} printf "%s|" "a  b" $((2+3)) "\\$HOME"`);
    expect(answer.body).toBe(overSsh.text);
  });

  it('as JSON where JSON is asked for', async () => {
    const answer = await ask(`ssh ${web.name} echo out; echo err >&2; exit 3`, [
      '-H',
      'Accept: text/html;q=0.5, application/json',
    ]);
    expect(answer.json()).toEqual({ stdout: 'out\n', stderr: 'err\n', exit_status: 3, exit_signal: null });
  });

  it('as JSON, bytes that are no UTF-8 stand beside the text in base64', async () => {
    const answer = await ask(`ssh ${web.name} printf "\\377a"`, ['-H', 'Accept: application/json']);
    expect(answer.json()).toEqual({
      stdout: '\ufffda',
      stdout_base64: '/2E=',
      stderr: '',
      exit_status: 0,
      exit_signal: null,
    });
  });

  it('endless-output: JSON stops at 4 MiB and ends the program', async () => {
    const answer = await ask(`ssh ${web.name} yes endless`, ['-H', 'Accept: application/json']);
    expect(answer.status).toBe(422);
    expect(answer.json<{ code: string }>().code).toBe('output-too-large');
    await expect.poll(() => web.sh('ps'), { timeout: 10_000 }).not.toContain('yes endless');
  });

  it('after the first byte a time-out is told by trailers', async () => {
    const answer = await ask(`ssh ${web.name} echo begun; sleep 4322`);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('begun\n');
    expect(answer.trailers).toEqual({ 'x-exe-exit': '255', 'x-exe-error': 'timeout' });
    await expect.poll(() => web.sh('ps'), { timeout: 10_000 }).not.toContain('sleep 4322');
  });

  it('hang-up: a client that leaves ends the program', async () => {
    await ask(`ssh ${web.name} echo begun; sleep 4323`, ['--max-time', '1']);
    await expect.poll(() => web.sh('ps'), { timeout: 10_000 }).not.toContain('sleep 4323');
  });

  it('slow-reader: a client that reads nothing makes us keep nothing', async () => {
    const before = process.memoryUsage().rss;
    const reading = ask(`ssh ${web.name} yes slow`, [
      '--limit-rate',
      '1K',
      '--max-time',
      '2',
      '-o',
      '/dev/null',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 1_800));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    await reading;
    await expect.poll(() => web.sh('ps'), { timeout: 10_000 }).not.toContain('yes slow');
  });

  it('is listed, and ended with its reason, as any session', async () => {
    const running = ask(`ssh ${web.name} echo begun; sleep 4324`);
    const find = async () => {
      const { text } = await api.ssh('session list --json');
      const { sessions } = JSON.parse(text) as { sessions: { id: string; target: string }[] };
      return sessions.find(({ target }) => target === web.name)?.id;
    };
    await expect.poll(find).toBeDefined();
    expect((await api.ssh(`session kill ${await find()}`)).status).toBe(0);
    const answer = await running;
    expect(answer.trailers).toEqual({ 'x-exe-exit': '255', 'x-exe-error': 'revoked' });
  });

  it('a target named in cmds is the only one', async () => {
    const other = await runContainer(images.busybox);
    try {
      const token = await api.apiKey(`--cmds="ssh ${web.name}"`);
      expect((await ask(`ssh ${web.name} echo in`, [], token)).body).toBe('in\n');
      const refused = await ask(`ssh ${other.name} echo in`, [], token);
      expect(refused.status).toBe(403);
      expect(refused.json<{ code: string }>().code).toBe('token-not-allowed');
      expect((await ask('ls', [], token)).status).toBe(403);
    } finally {
      await other.remove();
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
    expect(Object.keys(paths).sort()).toEqual(['/exec', '/healthz', '/readyz']);
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
