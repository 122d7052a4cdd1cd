/** What tokens are good for, and what they cannot be used to make. */
import { describe, expect, it } from 'vitest';
import { filesBelow } from '../support/data-folder.ts';
import { signExe0 } from '../support/http-api.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { makeKeyPair } from '../support/ssh-client.ts';
import { startTokenApi, type TokenApi } from '../support/token-api.ts';

const api = forAllTests(startTokenApi, ({ stop }) => stop());
const ask = (token: string, line: string) => api.ask({ token, line });
const codeOf: TokenApi['codeOf'] = (...asked) => api.codeOf(...asked);

describe('exe0', () => {
  it('runs the default commands where it names none, and only these', async () => {
    const exe0 = await signExe0(api.admin, {});
    for (const line of ['help', 'ls', 'whoami', 'ssh-key list', `share show ${api.web.name}`]) {
      expect([line, await codeOf(exe0, line)]).toEqual([line, 200]);
    }
    for (const line of [
      'account list',
      `ssh ${api.web.name} true`,
      'ssh-key add x',
      'version',
      'session list',
    ]) {
      expect([line, await codeOf(exe0, line)]).toEqual([line, '403 token-not-allowed']);
    }
  });

  it('with cmds [] runs none', async () => {
    expect(await codeOf(await signExe0(api.admin, { cmds: [] }), 'help')).toBe('403 token-not-allowed');
  });

  it('a parent grants no subcommand, and a subcommand no parent', async () => {
    expect(await codeOf(await signExe0(api.admin, { cmds: ['ssh-key'] }), 'ssh-key list')).toBe(
      '403 token-not-allowed',
    );
    expect(await codeOf(await signExe0(api.admin, { cmds: ['ssh web'] }), 'ssh-key list')).toBe(
      '403 token-not-allowed',
    );
  });

  it('ends at its exp, to the second, and its exe1 with it', async () => {
    const exp = Math.floor(api.clock.now() / 1000) + 1000;
    const exe0 = await signExe0(api.admin, { exp });
    const exe1 = (await api.ssh(`exe0-to-exe1 ${exe0}`)).text.trim();
    api.clock.standAt(exp * 1000 - 1);
    expect([await codeOf(exe0, 'whoami'), await codeOf(exe1, 'whoami')]).toEqual([200, 200]);
    api.clock.standAt(exp * 1000);
    expect([await codeOf(exe0, 'whoami'), await codeOf(exe1, 'whoami')]).toEqual([
      '401 unauthorized',
      '401 unauthorized',
    ]);
    api.clock.standAt(undefined);
  });

  it('for one container is none for commands', async () => {
    const exe0 = await signExe0(api.admin, {}, `v0@${api.web.name}.gw.example`);
    expect(await codeOf(exe0, 'whoami')).toBe('401 unauthorized');
  });
});

describe('exe0-to-exe1', () => {
  it('takes the token from stdin as well, and prints the short one alone', async () => {
    const exe0 = await signExe0(api.admin, {});
    const made = await api.ssh('exe0-to-exe1', { stdin: `${exe0}\n` });
    expect(made.text).toMatch(/^exe1\.[a-z2-7]{32}\n$/);
    expect(await codeOf(made.text.trim(), 'whoami')).toBe(200);
    const asJson = await api.ssh(`exe0-to-exe1 --json ${exe0}`);
    expect(JSON.parse(asJson.text)).toEqual({ token: expect.stringMatching(/^exe1\./) });
  });

  it('--vm must name the container it was signed for', async () => {
    const forWeb = await signExe0(api.admin, {}, `v0@${api.web.name}.gw.example`);
    const forCommands = await signExe0(api.admin, {});
    expect((await api.ssh(`exe0-to-exe1 --vm=${api.web.name} ${forWeb}`)).status).toBe(0);
    for (const line of [
      `exe0-to-exe1 ${forWeb}`,
      `exe0-to-exe1 --vm=other ${forWeb}`,
      `exe0-to-exe1 --vm=${api.web.name} ${forCommands}`,
    ]) {
      const refused = await api.ssh(line);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('this token is not valid here: it was signed for');
      expect(refused.stderr).not.toContain(forWeb);
    }
  });

  it('of an exe1 is refused', async () => {
    const exe1 = await api.apiKey();
    expect((await api.ssh(`exe0-to-exe1 ${exe1}`)).stderr).toContain('it is an exe1 token already');
  });

  it('says nothing of whether a key is registered', async () => {
    const stranger = await signExe0(await makeKeyPair(), {});
    const refused = await api.ssh(`exe0-to-exe1 ${stranger}`);
    expect(refused.stderr).toMatch(/^postern: this token is not valid here; /);
  });
});

describe('ssh-key generate-api-key', () => {
  it('answers with token, label, fingerprint and end; the text is the token alone', async () => {
    const made = await api.ssh('ssh-key generate-api-key --label=ci --exp=2d --json');
    const { token, label, fingerprint, expires_at } = JSON.parse(made.text) as Record<string, string>;
    expect({ token, label }).toEqual({ token: expect.stringMatching(/^exe1\.[a-z2-7]{32}$/), label: 'ci' });
    const { text } = await api.ssh('ssh-key list --json');
    const { ssh_keys } = JSON.parse(text) as { ssh_keys: Record<string, unknown>[] };
    expect(ssh_keys).toContainEqual(
      expect.objectContaining({ name: 'ci', kind: 'api', fingerprint, expires_at }),
    );
    const plain = await api.ssh('ssh-key generate-api-key');
    expect(plain.text).toMatch(/^exe1\.[a-z2-7]{32}\n$/);
    expect(plain.stderr).toMatch(/^postern: this token is shown once and never expires; /);
  });

  it('with an end is as good as any other token for what it names', async () => {
    expect(await codeOf(await api.apiKey('--exp=1h'), 'ssh-key list')).toBe(200);
  });

  it.each([
    ['--cmds=nonsense', 'is no command'],
    ['--cmds="ls,ssh-key nothing"', 'is no command'],
    ['--exp=yesterday', 'is no expiry'],
    ['--exp=200y', 'before 2100'],
    ['--vm=nosuch', 'no target "nosuch"'],
    ['--label=taken', 'choose another name'],
  ])('%s is refused', async (flags, sentence) => {
    await api.ssh('ssh-key generate-api-key --label=taken');
    const refused = await api.ssh(`ssh-key generate-api-key ${flags}`);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain(sentence);
    expect(refused.text).toBe('');
  });

  it('nobody can log in with the key it made: its private half is gone', async () => {
    await api.ssh('ssh-key generate-api-key --label=gone');
    const files = await filesBelow(api.dataDir);
    expect(files.some((content) => content.includes('PRIVATE KEY'))).toBe(false);
  });
});

describe('nothing made through a token is more powerful than it', () => {
  const making = 'ssh-key generate-api-key';

  it('token-widens-itself: other commands, a later end, a container', async () => {
    const exp = Math.floor(api.clock.now() / 1000) + 3600;
    const token = await signExe0(api.admin, { exp, cmds: [making, 'ls'] });
    for (const flags of [
      '',
      '--cmds=ls',
      '--cmds=whoami --exp=10h',
      '--cmds=ls --exp=2h',
      `--vm=${api.web.name} --cmds=ls --exp=0h`,
    ]) {
      const answer = await ask(token, `${making} ${flags}`);
      expect([flags, answer.status]).toEqual([
        flags,
        flags.includes('0h') && flags.includes('vm') ? 400 : 403,
      ]);
    }
    const scoped = await ask(
      token,
      `${making} --vm=${api.web.name} --cmds=ls --exp=${new Date((exp - 10) * 1000).toISOString()}`,
    );
    expect(scoped.json<{ code: string }>().code).toBe('token-exceeds');
    const made = await ask(token, `${making} --cmds=ls --exp=${new Date((exp - 10) * 1000).toISOString()}`);
    expect(made.status).toBe(200);
    expect(await codeOf(made.json<{ token: string }>().token, 'ls')).toBe(200);
    expect(await codeOf(made.json<{ token: string }>().token, 'whoami')).toBe('403 token-not-allowed');
  });

  it('token-adds-a-key: one that expires cannot leave something behind that does not', async () => {
    const cmds = [
      'ssh-key add',
      'invite create',
      'share add',
      'account list',
      'account add',
      'ca add',
      'tag',
    ];
    const { publicKey } = await makeKeyPair();
    const lines = [
      `ssh-key add "${publicKey}"`,
      'invite create',
      `share add ${api.web.name} nobody`,
      'account list',
      'account add eve',
      `ca add x "${publicKey}" --principals-from=eve`,
      `tag ${api.web.name} --add=x`,
    ];
    const passing = await signExe0(api.admin, { exp: Math.floor(api.clock.now() / 1000) + 3600, cmds });
    for (const line of lines) expect([line, await codeOf(passing, line)]).toEqual([line, '403 token-passes']);
    const lasting = await signExe0(api.admin, { cmds });
    expect(await codeOf(lasting, lines[0] as string)).toBe(200);
    expect(await codeOf(lasting, 'account list')).toBe(200);
  });

  it('a key that is restricted restricts its tokens', async () => {
    const key = await makeKeyPair();
    await api.ssh('ssh-key add --name=narrow --exp=30d', { stdin: key.publicKey });
    const token = await signExe0(key, { cmds: [making, 'ssh-key add', 'ls'] });
    expect(await codeOf(token, making)).toBe('403 restricted-key');
    expect(await codeOf(token, 'ls')).toBe(200);
  });

  it('a key with command= runs that, whatever its token asks for', async () => {
    const key = await makeKeyPair();
    await api.ssh('ssh-key add --name=forced --command=version', { stdin: key.publicKey });
    const token = await signExe0(key, { cmds: ['version', 'whoami'] });
    expect((await ask(token, 'whoami')).json()).toHaveProperty('version');
    expect(await codeOf(await signExe0(key, { cmds: ['whoami'] }), 'whoami')).toBe('403 token-not-allowed');
  });

  it('a key with from= is good from there alone', async () => {
    const key = await makeKeyPair();
    await api.ssh('ssh-key add --name=elsewhere --from=192.0.2.0/24', { stdin: key.publicKey });
    expect(await codeOf(await signExe0(key, {}), 'whoami')).toBe('401 unauthorized');
  });
});
