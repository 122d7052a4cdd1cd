/** POST /exec with the real curl: programs in targets, streamed and as JSON. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { heldMib } from '../support/held-memory.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw } from '../support/raw-http.ts';

let api: Api;
let web: TestContainer;
let all: string;
beforeAll(async () => {
  [api, web] = await Promise.all([
    startApi({ config: { tokenRatePerSecond: 1000 } }),
    runContainer(images.busybox),
  ]);
  all = await api.apiKey('--cmds="ssh,ls,whoami,help,ssh-key list,ssh-key remove,account list,exe0-to-exe1"');
});
afterAll(async () => {
  await Promise.all([api.stop(), web.remove()]);
});

const ask = (line: string | Buffer, args: readonly string[] = [], token = all) =>
  api.ask({ token, line, args });

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
    const line = `ssh ${web.name} echo first; until [ -e /tmp/go-on ]; do sleep 0.1; done; echo last`;
    const head = ['POST /exec HTTP/1.1', 'Host: gw.example', `Authorization: Bearer ${all}`];
    const bytes = lines(...head, 'Connection: close', `Content-Length: ${line.length}`) + line;
    const answer = await openRaw(api, bytes);
    await answer.until(/first/, 20_000);
    await web.sh('touch /tmp/go-on');
    expect(await answer.closed(20_000)).toMatch(/^HTTP\/1\.1 200 [\s\S]*last\n/);
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
    const hasty = await startApi({ config: { execSessionTimeoutMs: 8_000 } });
    onTestFinished(hasty.stop);
    const token = await hasty.apiKey('--cmds=ssh');
    const answer = await hasty.ask({ token, line: `ssh ${web.name} echo begun; sleep 4322` });
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
    const before = heldMib();
    const reading = ask(`ssh ${web.name} yes slow`, [
      '--limit-rate',
      '1K',
      '--max-time',
      '2',
      '-o',
      '/dev/null',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 1_800));
    expect(heldMib() - before).toBeLessThan(16);
    await reading;
    await expect.poll(() => web.sh('ps'), { timeout: 10_000 }).not.toContain('yes slow');
  });

  it('is listed, and ended with its reason, as any session', async () => {
    const running = ask(`ssh ${web.name} echo begun; sleep 4324`);
    const find = async () => {
      const { text } = await api.ssh('session list --json');
      const { sessions } = JSON.parse(text) as {
        sessions: { id: string; target: string; bytes_out: number }[];
      };
      // Before its first output the answer has not begun, and needs no trailers.
      return sessions.find(({ target, bytes_out }) => target === web.name && bytes_out > 0)?.id;
    };
    await expect.poll(find, { timeout: 20_000 }).toBeDefined();
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
