/** `postern token`, run in this process, with the real ssh-keygen behind it. */
import { PassThrough } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, type Terminal } from '../../../src/cli/run-cli.ts';
import { parseExe0 } from '../../../src/tokens/exe0.ts';
import { formatJwt } from '../../../src/tokens/jwt.ts';
import { type KeyPair, makeKeyPair, runProgram } from '../../support/ssh-client.ts';
import { ed25519Signer, forgeToken, securityKeySigner } from '../../support/tokens.ts';

const env = { ...process.env, SSH_AUTH_SOCK: '', SSH_ASKPASS_REQUIRE: 'never' };
const signer = ed25519Signer();
let key: KeyPair;
beforeAll(async () => {
  key = await makeKeyPair();
});

async function run(args: readonly string[], { stdin = '', env: more = {} as NodeJS.ProcessEnv } = {}) {
  const [input, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  input.end(stdin);
  const terminal = { env: { ...env, ...more }, stdin: input, stdout, stderr } as unknown as Terminal;
  const status = await runCli(['token', ...args], terminal);
  const text = (stream: PassThrough) => ((stream.read() as Buffer | null) ?? '').toString();
  return { status, stdout: text(stdout), stderr: text(stderr) };
}

const sign = (...flags: readonly string[]) =>
  run(['sign', '--key', key.file, '--domain', 'gw.example', ...flags]);
const signed = async (...flags: readonly string[]) => {
  const { status, stdout, stderr } = await sign(...flags);
  expect([status, stderr]).toEqual([0, '']);
  const { payload, sshsig } = parseExe0(stdout.trimEnd());
  return { payload: payload.toString(), namespace: sshsig.namespace };
};

const oneSentence = /^postern: [^\n]+\.\n$/;

describe('postern token sign', () => {
  it('without flags signs the empty permissions for commands', async () => {
    expect(await signed()).toEqual({ payload: '{}', namespace: 'v0@gw.example' });
  });

  it('writes what the flags say, ctx as it is', async () => {
    const { payload, namespace } = await signed(
      '--vm=Web_1.x',
      '--cmds= ls , ssh-key   list,ssh web,new,',
      '--exp=2099-12-31',
      '--nbf=2020-02-29T12:00:00+01:00',
      '--ctx={ "a":1.50 }',
    );
    expect(payload).toBe(
      '{"exp":4102358400,"nbf":1582974000,"cmds":["ls","ssh-key list","ssh web","new"],"ctx":{ "a":1.50 }}',
    );
    expect(namespace).toBe('v0@Web_1.x.gw.example');
  });

  it('takes expiries as keys do', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { exp } = JSON.parse((await signed('--exp=30d')).payload) as { exp: number };
    expect(exp - 30 * 86_400).toBeGreaterThanOrEqual(before);
    expect(exp - 30 * 86_400).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
    expect((await signed('--exp=never')).payload).toBe('{}');
    expect((await signed('--cmds=,')).payload).toBe('{}');
  });

  it.each([
    ['a command that is none', ['--cmds=ls,lss'], 2, '"lss", which is no command'],
    ['an expiry that is past', ['--exp=2020-01-01'], 2, 'not in the future'],
    ['an expiry that is none', ['--exp=soon'], 2, 'is no expiry'],
    ['an expiry beyond 2100', ['--exp=2100-01-02'], 1, '2100'],
    ['a beginning that is none', ['--nbf=soon'], 2, '--nbf "soon" is no time'],
    ['a beginning after the end', ['--exp=1d', '--nbf=2d'], 2, 'never be good'],
    ['a container that is none', ['--vm=../etc'], 2, 'is no name of a container'],
    ['ctx that is no JSON', ['--ctx={a'], 1, 'not JSON'],
    ['ctx that brings a second member', ['--ctx=1,"cmds":["ssh"]'], 1, 'not JSON'],
    ['ctx with a line feed', ['--ctx={\n}'], 1, 'CR, LF or NUL'],
    ['ctx with a member twice', ['--ctx={"a":1,"a":1}'], 1, 'there twice'],
    ['ctx that makes it too long', [`--ctx="${'x'.repeat(6500)}"`], 1, 'longer than 8192'],
    ['a flag there is not', ['--force'], 2, 'Unknown argument: force'],
    ['a flag without its value', ['--exp'], 2, 'exp'],
    ['a word', ['more'], 2, 'Too many words'],
  ] as const)('%s is told in one sentence, and nothing is signed', async (_name, flags, status, sentence) => {
    const ran = await sign(...flags);
    expect(ran).toEqual({ status, stdout: '', stderr: expect.stringMatching(oneSentence) });
    expect(ran.stderr).toContain(sentence);
  });

  it.each([
    ['a key that is not there', ['--key=/nowhere/key', '--domain=a'], {}, 'No such file'],
    ['a file that is no key', ['--key=/etc/passwd', '--domain=a'], {}, 'ssh-keygen did not sign'],
    ['a domain that is none', ['--key=x', '--domain=a/b'], {}, 'is no host name'],
    ['a domain that is a flag', ['--key=x', '--domain=-f'], {}, 'ssh-keygen did not sign'],
    ['no ssh-keygen', ['--key=x', '--domain=a'], { PATH: '' }, 'install OpenSSH'],
    ['no key', ['--domain=a'], {}, 'Missing required argument: key'],
    ['no domain', ['--key=x'], {}, 'Missing required argument: domain'],
  ] as const)('%s is told in one sentence', async (_name, flags, more, sentence) => {
    const ran = await run(['sign', ...flags], { env: more });
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(oneSentence);
    expect(ran.stderr).toContain(sentence);
  });

  it('a certificate makes no token', async () => {
    const authority = await makeKeyPair();
    const made = await runProgram('ssh-keygen', [
      '-q',
      '-s',
      authority.file,
      '-I',
      'x',
      '-n',
      'a',
      `${key.file}.pub`,
    ]);
    expect(made.status).toBe(0);
    const ran = await run(['sign', `--key=${key.file}-cert.pub`, '--domain=gw.example']);
    expect(ran).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(oneSentence) });
  });

  it('command-substitution-in-a-flag: no shell ever sees a value', async () => {
    const ctx = '"$(touch /tmp/postern-was-here)`id`;\'"';
    expect((await signed(`--ctx=${ctx}`)).payload).toBe(`{"ctx":${ctx}}`);
    const ran = await run(['sign', '--key=$(id)', '--domain=gw.example']);
    expect(ran.stderr).toContain('$(id)');
  });
});

describe('postern token inspect', () => {
  const permissions = '{"exp":4000000000,"cmds":["ls","ssh web"],"ctx":{"a": 1}}';

  it('shows in plain words what the token says', async () => {
    const token = forgeToken(signer, { permissions });
    const { status, stdout, stderr } = await run(['inspect'], { stdin: `${token}\n` });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.replace(/SHA256:\S+/, 'SHA256:…').replace(/in \d+ days/, 'in N days')).toBe(
      [
        'namespace  v0@gateway.example',
        'key        ssh-ed25519 SHA256:…',
        'signature  holds (sha512)',
        'validity   expires at 2096-10-02 07:06:40 UTC, in N days',
        'commands   ls, ssh web',
        'ctx        {"a": 1}',
        `payload    ${permissions}`,
        '',
      ].join('\n'),
    );
    expect(await run(['inspect', token])).toEqual({ status, stdout, stderr });
    expect(await run(['inspect', '-'], { stdin: token })).toEqual({ status, stdout, stderr });
  });

  it.each([
    ['no time at all', '{}', 0, /^validity {3}never expires$/m],
    [
      'an end that is past',
      '{"exp":1000000000}',
      1,
      /^validity {3}expired at 2001-09-09 01:46:40 UTC, \d+ days ago$/m,
    ],
    [
      'a beginning to come',
      '{"nbf":4000000000}',
      1,
      /^validity {3}not valid before 2096-10-02 .+; never expires$/m,
    ],
    ['no commands', '{"cmds":[]}', 0, /^commands {3}none$/m],
    ['the default commands', '{}', 0, /^commands {3}help, ls, .+, exe0-to-exe1 \(the default\)$/m],
  ] as const)('%s', async (_name, json, status, line) => {
    const ran = await run(['inspect'], { stdin: forgeToken(signer, { permissions: json }) });
    expect(ran.status).toBe(status);
    expect(ran.stdout).toMatch(line);
  });

  it('says when the signature does not hold, and of a security key what it saw', async () => {
    const forged = forgeToken(signer, { payload: () => Buffer.from('{"cmds":["ssh"]}') });
    const ran = await run(['inspect'], { stdin: forged });
    expect(ran.status).toBe(1);
    expect(ran.stdout).toContain('signature  DOES NOT HOLD');
    for (const [flags, words] of [
      [0, 'holds (sha512; not touched)'],
      [1, 'holds (sha512; touched)'],
      [5, 'holds (sha512; touched, PIN or finger)'],
    ] as const) {
      const stdin = forgeToken(securityKeySigner('ed25519', { flags }));
      expect((await run(['inspect'], { stdin })).stdout).toContain(words);
    }
  });

  it('--json is one object on one line, for a token that is none too', async () => {
    const good = await run(['inspect', '--json'], { stdin: forgeToken(signer, { permissions }) });
    expect(good.stdout).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(good.stdout)).toMatchObject({
      kind: 'exe0',
      fault: null,
      namespace: 'v0@gateway.example',
      key_type: 'ssh-ed25519',
      signature_holds: true,
      cmds: ['ls', 'ssh web'],
      default_cmds: false,
      not_before: null,
      expires_at: '2096-10-02T07:06:40.000Z',
      ctx: '{"a": 1}',
      payload: permissions,
    });
    const bad = await run(['inspect', '--json'], { stdin: 'exe0.e30.AAAA' });
    expect(bad).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(bad.stdout)).toEqual({ error: expect.stringMatching(/\.$/), code: 'invalid-token' });
  });

  it('an exe1 is a handle only the gateway can look into', async () => {
    const stdin = `exe1.${'a'.repeat(32)}`;
    expect(await run(['inspect'], { stdin })).toEqual({
      status: 0,
      stdout: expect.stringContaining('only the gateway'),
      stderr: '',
    });
    expect(JSON.parse((await run(['inspect', '--json'], { stdin })).stdout)).toEqual({ kind: 'exe1' });
  });

  it('the JWT of an exchange is one as well, with an end', async () => {
    const stdin = formatJwt({ handle: `exe1.${'a'.repeat(32)}`, exp: 1_800_000_000 });
    const expires_at = '2027-01-15T08:00:00.000Z';
    expect(await run(['inspect'], { stdin })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(expires_at),
    });
    const asJson = await run(['inspect', '--json'], { stdin });
    expect(JSON.parse(asJson.stdout)).toEqual({ kind: 'jwt', expires_at });
  });

  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['an exe1 cut short', 'exe1.abc'],
    ['something endless', 'exe0.'.padEnd(9000, 'A')],
  ])('%s is told in one sentence that does not repeat it', async (_name, stdin) => {
    const ran = await run(['inspect'], { stdin });
    expect(ran).toEqual({ status: 1, stdout: '', stderr: expect.stringMatching(oneSentence) });
    if (stdin !== '') expect(ran.stderr).not.toContain(stdin);
  });

  it('token-in-an-error: neither of two words is repeated', async () => {
    const token = forgeToken(signer);
    const ran = await run(['inspect', token, token.slice(5)]);
    expect(ran).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(oneSentence) });
    expect(ran.stderr).not.toContain(token.slice(10, 30));
  });

  it('escape-sequence-in-a-token: nothing in it drives the terminal', async () => {
    const stdin = forgeToken(signer, {
      namespace: 'v0@\x1b[2J\x07evil',
      permissions: '{"cmds":["\\u001b[31m"],"ctx":"\u202eevil"}',
    });
    const { stdout } = await run(['inspect'], { stdin });
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/);
    expect(stdout).toContain('\\x1b[2J');
    expect(stdout).toContain('\\u{202e}');
  });
});

it('postern token alone names what there is', async () => {
  expect(await run([])).toMatchObject({ status: 2, stderr: expect.stringMatching(oneSentence) });
  expect(await run(['forge'])).toMatchObject({ status: 2, stderr: expect.stringMatching(oneSentence) });
  expect((await run(['--help'])).stdout).toContain('postern token sign --key FILE');
  expect((await run(['sign', '--help'])).stdout).toContain('--nbf');
  expect((await run(['inspect', '--help'])).stdout).toContain('postern token inspect');
});
