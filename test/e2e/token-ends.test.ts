/** How tokens end, and what is to be found of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, storedRows } from '../support/data-folder.ts';
import { temporaryFile } from '../support/gateway.ts';
import { signExe0 } from '../support/http-api.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { answering, enrollOverSsh } from '../support/second-factor.ts';
import { makeKeyPair, runProgram } from '../support/ssh-client.ts';
import { startTokenApi, type TokenApi } from '../support/token-api.ts';

const api = forAllTests(startTokenApi, ({ stop }) => stop());
const ask = (token: string, line: string) => api.ask({ token, line });
const codeOf: TokenApi['codeOf'] = (...asked) => api.codeOf(...asked);

const addKey = async (name: string) => {
  const key = await makeKeyPair();
  expect((await api.ssh(`ssh-key add --name=${name}`, { stdin: key.publicKey })).stderr).toBe('');
  return key;
};

describe('the end of a token', () => {
  it('removing the key ends exe0 and exe1 at once, and its rows go', async () => {
    const key = await addKey('short-lived');
    const exe0 = await signExe0(key, {});
    const exe1 = (await api.ssh(`exe0-to-exe1 ${exe0}`)).text.trim();
    expect([await codeOf(exe0, 'ls'), await codeOf(exe1, 'ls')]).toEqual([200, 200]);
    expect(
      (await storedRows(api.dataDir, 'tokens')).some(
        ({ keyFingerprint }) => keyFingerprint === key.fingerprint,
      ),
    ).toBe(true);
    await api.ssh('ssh-key remove short-lived');
    expect([await codeOf(exe0, 'ls'), await codeOf(exe1, 'ls')]).toEqual([
      '401 unauthorized',
      '401 unauthorized',
    ]);
    expect(
      (await storedRows(api.dataDir, 'tokens')).some(
        ({ keyFingerprint }) => keyFingerprint === key.fingerprint,
      ),
    ).toBe(false);
  });

  it('removing the key ends a stream that runs, with its word in the trailer', async () => {
    const token = await api.apiKey('--label=streaming --cmds=ssh');
    const streaming = ask(token, `ssh ${api.web.name} echo begun; sleep 5432`);
    await expect.poll(() => api.web.sh('ps')).toContain('sleep 5432');
    await api.ssh('ssh-key remove streaming');
    const answer = await streaming;
    expect(answer.body).toBe('begun\n');
    expect(answer.trailers).toEqual({ 'x-exe-exit': '255', 'x-exe-error': 'revoked' });
    await expect.poll(() => api.web.sh('ps'), { timeout: 10_000 }).not.toContain('sleep 5432');
  });

  it('a token that ends while it streams ends the stream', async () => {
    // Long enough for the program to have begun by then.
    const exp = Math.floor(api.clock.now() / 1000) + 10;
    const token = await signExe0(api.admin, { exp, cmds: ['ssh'] });
    const answer = await ask(token, `ssh ${api.web.name} echo begun; sleep 5433`);
    expect(answer.trailers).toEqual({ 'x-exe-exit': '255', 'x-exe-error': 'revoked' });
  });

  it('disabling the account ends its tokens, and a grant withdrawn a stream that stands on it', async () => {
    const bob = await api.addMember('bob');
    await api.ssh(`share add ${api.web.name} bob`);
    const token = await api.apiKey('--cmds=ssh,ls', bob);
    const streaming = ask(token, `ssh ${api.web.name} echo begun; sleep 5434`);
    await expect.poll(() => api.web.sh('ps')).toContain('sleep 5434');
    await api.ssh(`share remove ${api.web.name} bob`);
    expect((await streaming).trailers['x-exe-error']).toBe('revoked');
    expect(await codeOf(token, 'ls')).toBe(200);
    await api.ssh('account disable bob');
    expect(await codeOf(token, 'ls')).toBe('401 unauthorized');
  });

  it('a key that is removed with its own token still gets the answer', async () => {
    const token = await api.apiKey('--label=suicide --cmds="ssh-key remove"');
    expect(await codeOf(token, 'ssh-key remove suicide --yes')).toBe(200);
    expect(await codeOf(token, 'ssh-key remove suicide --yes')).toBe('401 unauthorized');
  });
});

describe('a stolen copy of the store', () => {
  it('holds no token, no exe0 and nothing that stands for one', async () => {
    const exe0 = await signExe0(api.admin, { cmds: ['whoami'] });
    const exe1 = (await api.ssh(`exe0-to-exe1 ${exe0}`)).text.trim();
    const backup = join(await temporaryFile('x', ''), '..', 'store.json');
    await runProgram(process.execPath, ['src/main.ts', 'backup', backup, '--data', api.dataDir]);
    const [, payload = '', signature = ''] = exe0.split('.');
    for (const content of [...(await filesBelow(api.dataDir)), await readFile(backup, 'latin1')]) {
      for (const secret of [exe0, exe1, exe1.slice(5), payload.length > 8 ? payload : exe0, signature]) {
        expect(content.includes(secret)).toBe(false);
      }
    }
    const [row] = (await storedRows(api.dataDir, 'tokens')).slice(-1);
    expect(await codeOf(`exe1.${row?.lookup?.slice(0, 32)}`, 'whoami')).toBe('401 unauthorized');
  });
});

describe('with a second factor', () => {
  it('making a token needs it, and the token then passes without; a token a key signed alone does not', async () => {
    const carol = await api.addMember('carol');
    const before = await api.apiKey('', carol);
    const factor = await enrollOverSsh(api, carol, api.clock);
    const { options } = await answering(factor.nextCode());
    const made = await api.ssh('ssh-key generate-api-key', { key: carol, ...options });
    expect(await codeOf(made.text.trim(), 'whoami')).toBe(200);
    const exe0 = await signExe0(carol, {});
    expect(await codeOf(exe0, 'whoami')).toBe('403 token-unproven');
    expect(await codeOf(before, 'whoami')).toBe('403 token-unproven');
    const { options: again } = await answering(factor.nextCode());
    const exe1 = await api.ssh(`exe0-to-exe1 ${exe0}`, { key: carol, ...again });
    expect(await codeOf(exe1.text.trim(), 'whoami')).toBe(200);
  });
});

describe('secrets', () => {
  it('a token is in no log, no audit, no error, no list of sessions and no list of processes', async () => {
    const exe0 = await signExe0(api.admin, { cmds: ['ssh', 'exe0-to-exe1', 'whoami'] });
    const exe1 = (await api.ssh(`exe0-to-exe1 ${exe0}`)).text.trim();
    const answers = [
      await ask(exe1, `exe0-to-exe1 ${exe0} ${exe0}`),
      await ask(exe1, `nonsense ${exe0}`),
      await ask(exe1, `ssh nosuch ${exe1}`),
      await api.ask({ token: exe0, line: 'whoami', path: `/exec?token=${exe1}` }),
      await api.ask({ token: `${exe1}x`, line: 'whoami', path: `/${exe0}` }),
    ];
    const streaming = ask(exe1, `ssh ${api.web.name} sleep 5435`);
    await expect.poll(() => api.web.sh('ps')).toContain('sleep 5435');
    const { text: processes } = await runProgram('ps', ['-eo', 'args']);
    await api.web.killProgram('sleep 5435');
    await streaming;
    // What the program is told is in its own container's list of processes: that is its author's doing.
    const telling = ask(exe1, `ssh ${api.web.name} sleep 5436; echo ${exe1}`);
    await expect.poll(() => api.web.sh('ps')).toContain('sleep 5436');
    const sessions = await api.ssh('session list --json');
    await api.web.killProgram('sleep 5436');
    await telling;
    const told =
      JSON.stringify(api.logged()) + sessions.text + answers.map(({ body }) => body).join('') + processes;
    const [, , signature = ''] = exe0.split('.');
    for (const secret of [exe1.slice(5), signature]) expect(told.includes(secret)).toBe(false);
  });
});
