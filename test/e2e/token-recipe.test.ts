/** The recipe for tokens, pasted into bash with keys of every accepted type; and `postern token`, which saves it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/keys/parse-public-key.ts';
import { temporaryFile } from '../support/gateway.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { answering } from '../support/second-factor.ts';
import { makeSecurityKey } from '../support/security-key.ts';
import { startAgent } from '../support/ssh-agent.ts';
import { makeKeyPair, runProgram } from '../support/ssh-client.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const domain = 'gw.example';

let api: Api;
beforeAll(async () => {
  api = await startApi({ config: { tokenRatePerSecond: 1000 } });
});
afterAll(() => api.stop());

interface Recipe {
  readonly keyFile: string;
  readonly permissions?: string;
  readonly namespace?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Line by line as the public page has it; the last line is ours. */
async function paste({ keyFile, permissions = '{}', namespace = `v0@${domain}`, env = {} }: Recipe) {
  const recipe = `
b64url() { tr -d '\\n=' | tr '+/' '-_'; }
export PERMISSIONS='${permissions}'
export PAYLOAD=$(printf '%s' "$PERMISSIONS" | base64 | b64url)
export SIG=$(printf '%s' "$PERMISSIONS" | ssh-keygen -Y sign -f ${keyFile} -n ${namespace})
export SIGBLOB=$(echo "$SIG" | sed '1d;$d' | b64url)
export TOKEN="exe0.$PAYLOAD.$SIGBLOB"
printf '%s' "$TOKEN"
`;
  const ran = await runProgram('bash', ['-c', recipe], { env: { SSH_AUTH_SOCK: '', ...env } });
  expect(ran.text, ran.stderr).toMatch(/^exe0\.[\w-]+\.[\w-]+$/);
  return ran.text;
}

const postern = (args: readonly string[], options: { stdin?: string; env?: NodeJS.ProcessEnv } = {}) =>
  runProgram(process.execPath, [main, ...args], {
    ...options,
    env: { SSH_AUTH_SOCK: '', SSH_ASKPASS_REQUIRE: 'never', ...options.env },
  });

async function inspect(token: string) {
  const ran = await postern(['token', 'inspect', '--json'], { stdin: `${token}\n` });
  return { status: ran.status, ...(JSON.parse(ran.text) as Record<string, unknown>) };
}

const register = async (publicKey: string) => {
  const added = await api.ssh('ssh-key add', { stdin: `${publicKey}\n` });
  expect([added.status, added.stderr]).toEqual([0, '']);
};

/** The last line of the recipe: `curl -X POST …/exec -d whoami`. Whose key it says that it is. */
async function whoami(token: string): Promise<string | undefined> {
  const answer = await api.ask({ token, line: 'whoami' });
  expect(answer.status, answer.body).toBe(200);
  const { account, ssh_keys } = answer.json<{ account: string; ssh_keys: Record<string, unknown>[] }>();
  expect(account).toBe('admin');
  return ssh_keys.find(({ current }) => current)?.['fingerprint'] as string | undefined;
}

const works = async (token: string, { type, fingerprint }: { type: string; fingerprint: string }) => {
  expect(await inspect(token)).toMatchObject({
    status: 0,
    fault: null,
    signature_holds: true,
    key_type: type,
    fingerprint,
    namespace: `v0@${domain}`,
  });
  expect(await whoami(token)).toBe(fingerprint);
};

/** A real ssh-agent with one key and nothing else. */
async function withAgent<Result>(keyFile: string, work: (env: NodeJS.ProcessEnv) => Promise<Result>) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-agent-'));
  const socket = join(folder, 'socket');
  const env = { SSH_AUTH_SOCK: socket };
  const started = await runProgram('ssh-agent', ['-s', '-a', socket]);
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started.text)?.[1]);
  try {
    expect((await runProgram('ssh-add', ['-q', keyFile], { env })).status).toBe(0);
    return await work(env);
  } finally {
    process.kill(pid);
    await rm(folder, { recursive: true, force: true });
  }
}

const kinds = [
  { type: 'ssh-ed25519', args: ['ed25519'] },
  { type: 'ecdsa-sha2-nistp256', args: ['ecdsa', '-b', '256'] },
  { type: 'ecdsa-sha2-nistp384', args: ['ecdsa', '-b', '384'] },
  { type: 'ecdsa-sha2-nistp521', args: ['ecdsa', '-b', '521'] },
  { type: 'ssh-rsa', args: ['rsa', '-b', '2048'] },
  { type: 'ssh-rsa', args: ['rsa', '-b', '4096'] },
] as const;

describe.each(kinds)('a key of type $type, $args', ({ type, args: [kind, ...extra] }) => {
  it('the recipe and "postern token sign" make tokens that work, from a file and from an agent', async () => {
    const key = await makeKeyPair(kind, extra);
    const facts = { type, fingerprint: key.fingerprint };
    await register(key.publicKey);
    const sign = async (file: string, env: NodeJS.ProcessEnv = {}) => {
      const signed = await postern(['token', 'sign', '--key', file, '--domain', domain], { env });
      expect([signed.stderr, signed.status]).toEqual(['', 0]);
      expect(signed.text).toMatch(/^exe0\.[\w-]+\.[\w-]+\n$/);
      return signed.text.trim();
    };
    await works(await paste({ keyFile: key.file }), facts);
    await works(await sign(key.file), facts);
    await withAgent(key.file, async (env) => {
      // Away from the private half, so that only the agent can have signed.
      const alone = await temporaryFile('key.pub', `${key.publicKey}\n`);
      await works(await paste({ keyFile: alone, env }), facts);
      await works(await sign(alone, env), facts);
    });
  });
});

describe('a key with a passphrase', () => {
  it('is asked for it by ssh-keygen, in the recipe and in "postern token sign"', async () => {
    const key = await makeKeyPair();
    await runProgram('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', key.file]);
    await register(key.publicKey);
    const facts = { type: 'ssh-ed25519', fingerprint: key.fingerprint };
    const asked = await answering('open sesame', 'open sesame');
    const env = { ...asked.options.env };
    await works(await paste({ keyFile: key.file, env }), facts);
    const signed = await postern(['token', 'sign', `--key=${key.file}`, `--domain=${domain}`], { env });
    await works(signed.text.trim(), facts);
    expect(await asked.asked()).toEqual([
      expect.stringContaining('Enter passphrase'),
      expect.stringContaining('Enter passphrase'),
    ]);
  });

  it('the wrong one makes no token, and is not repeated', async () => {
    const key = await makeKeyPair();
    await runProgram('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', key.file]);
    const wrong = await answering('close sesame', 'close sesame', 'close sesame');
    const signed = await postern(['token', 'sign', `--key=${key.file}`, `--domain=${domain}`], {
      env: { ...wrong.options.env },
    });
    expect(signed.status).toBe(1);
    expect(signed.text).toBe('');
    expect(signed.stderr).toMatch(/^postern: ssh-keygen did not sign: .+\.\n$/);
    expect(signed.stderr).not.toContain('sesame');
  });
});

describe.each(['ed25519', 'ecdsa'] as const)('a security key of kind %s, behind an agent', (kind) => {
  it('makes tokens that work when it was touched, by the recipe and by "postern token sign"', async () => {
    const key = makeSecurityKey(kind);
    const facts = { type: key.type, fingerprint: fingerprintOf(key.blob) };
    await register(`${key.line} a security key`);
    const keyFile = await temporaryFile('sk.pub', `${key.line} a security key\n`);
    const agent = await startAgent([{ blob: key.blob, sign: (data) => key.sign(data) }]);
    try {
      const env = { SSH_AUTH_SOCK: agent.socketPath };
      const pasted = await paste({ keyFile, env });
      await works(pasted, facts);
      expect(await inspect(pasted)).toMatchObject({ touched: true, user_verified: false });
      const signed = await postern(['token', 'sign', `--key=${keyFile}`, `--domain=${domain}`], { env });
      await works(signed.text.trim(), facts);
      expect(agent.asked()).toBe(2);
    } finally {
      await agent.close();
    }
  });

  it('untouched, its token is refused, and inspection shows why', async () => {
    const key = makeSecurityKey(kind);
    await register(key.line);
    const keyFile = await temporaryFile('sk.pub', `${key.line}\n`);
    const agent = await startAgent([{ blob: key.blob, sign: (data) => key.sign(data, { flags: 0 }) }]);
    try {
      const token = await paste({ keyFile, env: { SSH_AUTH_SOCK: agent.socketPath } });
      expect(await inspect(token)).toMatchObject({ signature_holds: true, touched: false });
      expect((await api.ask({ token, line: 'whoami' })).status).toBe(401);
    } finally {
      await agent.close();
    }
  });
});

describe('the rest of the page', () => {
  it('a key added as it says is one the token stands and falls with', async () => {
    const key = await makeKeyPair();
    const token = await paste({ keyFile: key.file });
    expect((await api.ask({ token, line: 'whoami' })).status).toBe(401);
    await register(key.publicKey);
    await works(token, { type: 'ssh-ed25519', fingerprint: key.fingerprint });
    const exe1 = (await api.ssh(`exe0-to-exe1 "${token}"`)).text.trim();
    expect(await whoami(exe1)).toBe(key.fingerprint);
    expect((await api.ssh(`ssh-key remove '${key.fingerprint}'`)).status).toBe(0);
    for (const dead of [token, exe1]) {
      expect((await api.ask({ token: dead, line: 'whoami' })).status).toBe(401);
    }
  });

  it('permissions in JSON are what the token carries, byte for byte', async () => {
    const key = await makeKeyPair();
    await register(key.publicKey);
    const permissions = '{ "cmds": ["ls"], "exp": 4000000000, "ctx": {"é": [1.50, "??>>~~"]} }';
    const token = await paste({ keyFile: key.file, permissions });
    expect(await inspect(token)).toMatchObject({ payload: permissions, ctx: '{"é": [1.50, "??>>~~"]}' });
    expect((await api.ask({ token, line: 'ls' })).status).toBe(200);
    expect((await api.ask({ token, line: 'whoami' })).status).toBe(403);
  });

  it('long permissions, which base64 wraps and the recipe unwraps', async () => {
    const key = await makeKeyPair();
    await register(key.publicKey);
    const token = await paste({ keyFile: key.file, permissions: `{"ctx":"${'long '.repeat(200)}"}` });
    expect(await whoami(token)).toBe(key.fingerprint);
  });

  it('a token for a container is none for commands', async () => {
    const key = await makeKeyPair();
    await register(key.publicKey);
    const token = await paste({ keyFile: key.file, namespace: `v0@myvm.${domain}` });
    expect(await inspect(token)).toMatchObject({ status: 0, namespace: `v0@myvm.${domain}` });
    expect((await api.ask({ token, line: 'whoami' })).status).toBe(401);
  });
});
