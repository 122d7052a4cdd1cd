/** A second factor with the real ssh, which is asked for the code through SSH_ASKPASS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { container, listedEngine } from '../support/people.ts';
import { answering, type Enrolled, enrollOverSsh, movedClock } from '../support/second-factor.ts';
import {
  collect,
  type KeyPair,
  makeKeyPair,
  runProgram,
  type SshOptions,
  spawnSsh,
  sshArguments,
} from '../support/ssh-client.ts';

const clock = movedClock();
const { engine: listed } = listedEngine([
  container('web', { labels: { 'rexec.owner': 'alice,bob,carol' } }),
  container('vault', { labels: { 'rexec.owner': 'alice,bob,carol' } }),
]);

/** Whose "wait" runs until it is ended. */
const engine: ContainerEngine = {
  ...listed,
  openSession: (authorization) => async (request, io, context) => {
    const { start } = request;
    if (start.kind !== 'exec' || start.command !== 'wait')
      return listed.openSession(authorization)(request, io, context);
    await new Promise((resolve) => io.closed.addEventListener('abort', resolve));
    return { exitStatus: 0 };
  },
};

let door: TestGateway;
let alice: KeyPair;
let bob: KeyPair;
let carol: KeyPair;
let factor: Enrolled;
beforeAll(async () => {
  door = await startTestGateway({ overrides: { clock, engine } });
  const added = async (name: string) => {
    const key = await makeKeyPair();
    expect((await door.ssh(`account add ${name} "${key.publicKey}"`)).status).toBe(0);
    return key;
  };
  [alice, bob, carol] = [await added('alice'), await added('bob'), await added('carol')];
  factor = await enrollOverSsh(door, alice, clock);
});
afterAll(() => door.stop());

/** As alice, answering with a fresh code. */
async function withCode(command: string, options: SshOptions = {}, code = factor.nextCode()) {
  const { options: askpass, asked } = await answering(code);
  const outcome = await door.ssh(command, { key: alice, ...askpass, ...options });
  return { ...outcome, asked: await asked() };
}

describe('where nobody wants one', () => {
  it('nothing is asked, and nothing is told', async () => {
    const outcome = await door.ssh('whoami --json', { args: ['-o', 'BatchMode=yes'] });
    expect(outcome.status).toBe(0);
    expect(Object.keys(JSON.parse(outcome.text))).toEqual(['account', 'email', 'role', 'ssh_keys']);
    expect((await door.ssh('whoami')).text).not.toMatch(/mfa/i);
  });
});

describe('enrolling', () => {
  it('shows a QR code, the secret and its URL', async () => {
    const { text, status } = await door.ssh('mfa enroll');
    expect(status).toBe(0);
    expect(text).toMatch(/^█{20,}$/m);
    expect(text).toMatch(/^Secret: [A-Z2-7]{32}$/m);
    expect(text).toMatch(/^URL: otpauth:\/\/totp\/localhost:admin\?/m);
    // Not confirmed, so not asked for.
    expect((await door.ssh('whoami')).text).not.toMatch(/mfa/i);
  });

  it('the code may come on stdin', async () => {
    const outcome = await door.ssh('mfa confirm', { stdin: 'no code\n' });
    expect(outcome.stderr).toContain('this code is wrong');
  });
});

describe('logging in', () => {
  it('asks once for the code, without echo, after the key', async () => {
    const outcome = await withCode('whoami');
    expect(outcome.status).toBe(0);
    expect(outcome.text).toMatch(/^Account: alice$/m);
    expect(outcome.text).toMatch(/^MFA: on$/m);
    expect(outcome.asked).toEqual([expect.stringMatching(/Code: $/)]);
    expect(JSON.parse((await withCode('whoami --json')).text)).toMatchObject({ mfa: 'on' });
  });

  it('asks again after a wrong code, three times in all', async () => {
    const { options, asked } = await answering('000000', factor.nextCode());
    expect((await door.ssh('version', { key: alice, ...options })).status).toBe(0);
    expect(await asked()).toHaveLength(2);
    const wrong = await answering('1', '2', '3', '4', '5');
    const outcome = await door.ssh('version', { key: alice, ...wrong.options });
    expect(outcome.status).toBe(255);
    expect(await wrong.asked()).toHaveLength(3);
    expect((await withCode('version')).status).toBe(0);
  });

  it('takes a recovery code, once', async () => {
    const [code] = factor.recoveryCodes as [string];
    expect((await withCode('mfa status', {}, code)).text).toContain('9 codes left');
    expect((await withCode('version', {}, code)).status).toBe(255);
    expect((await withCode('version')).status).toBe(0);
  });

  it('tells a client in BatchMode why it cannot come in', async () => {
    const outcome = await door.ssh('whoami', {
      key: alice,
      args: ['-o', 'BatchMode=yes', '-o', 'LogLevel=INFO'],
    });
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain('Your key is accepted. This account asks for a code as well');
    expect(outcome.stderr).toContain('Permission denied (keyboard-interactive)');
  });

  it('counts once for a jump: on the outer connection', async () => {
    const { options, asked } = await answering(factor.nextCode(), 'never asked for');
    const outer = ['ssh', ...sshArguments(door, { key: alice }), '-p', door.port, '-W', '%h:%p', '127.0.0.1'];
    const inner = ['-o', `ProxyCommand=${outer.join(' ')}`, '-o', `HostKeyAlias=[127.0.0.1]:${door.port}`];
    const args = [...inner, ...sshArguments(door, { key: alice }), 'rexec@rexec-web', 'id'];
    const outcome = await runProgram('ssh', args, options);
    expect([outcome.stderr, outcome.text, outcome.status]).toEqual(['', '(default)@web: id\n', 7]);
    expect(await asked()).toHaveLength(1);
  });

  it('neither the secret nor a code is ever logged', async () => {
    const text = JSON.stringify(door.logged());
    for (const secret of [factor.secret, ...factor.recoveryCodes]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/mfa confirm \d/);
    expect(text).toContain('mfa confirm ***');
  });
});

describe('an account that must have one', () => {
  it('can do nothing without but get one, and everything with it', async () => {
    expect((await door.ssh('account mfa bob required')).status).toBe(0);
    const outcomes = Object.fromEntries(
      await Promise.all(
        [
          'whoami',
          'help',
          'mfa status',
          'ls',
          'ssh web id',
          'ssh-key list',
          'ssh-key add x',
          'ssh nosuch id',
        ].map(async (line) => [line, await door.ssh(line, { key: bob })] as const),
      ),
    );
    for (const line of ['whoami', 'help', 'mfa status']) expect(outcomes[line]?.status).toBe(0);
    for (const line of ['ls', 'ssh web id', 'ssh-key list', 'ssh-key add x', 'ssh nosuch id']) {
      expect(outcomes[line]?.stderr).toContain('must have a second factor');
      expect(outcomes[line]?.stderr).not.toContain('vault');
    }
    const direct = await door.ssh('id', { key: bob, login: 'rexec-web' });
    expect(direct.stderr).toContain('set one up with "ssh GATEWAY mfa enroll"');
    expect(direct.status).toBe(255);
    // What there is, is not told either.
    const unknown = await door.ssh('id', { key: bob, login: 'rexec-nosuch' });
    expect(unknown.stderr).not.toMatch(/web|vault/);
    const jump = await door.ssh(undefined, {
      key: bob,
      args: ['-W', 'rexec-web:22', '-o', 'LogLevel=INFO'],
    });
    expect(jump.stderr).toContain('must have a second factor');

    const own = await enrollOverSsh(door, bob, clock);
    const { options } = await answering(own.nextCode());
    expect((await door.ssh('id', { key: bob, login: 'rexec-web', ...options })).text).toBe(
      '(default)@web: id\n',
    );
  });

  it('an admin helps whoever lost phone and recovery codes', async () => {
    expect((await door.ssh('mfa reset bob')).status).toBe(0);
    expect((await door.ssh('ls', { key: bob })).stderr).toContain('must have a second factor');
    expect((await door.ssh('account mfa bob optional')).status).toBe(0);
    expect((await door.ssh('ls', { key: bob })).status).toBe(0);
  });
});

describe('a target that asks for one', () => {
  it('is not made one by who has none, and would close it to themselves: neither an owner nor an admin', async () => {
    for (const key of [carol, door.admin]) {
      const { stderr, status } = await door.ssh('mfa require vault on', { key });
      expect([stderr, status]).toEqual([
        'postern: vault would be closed to you, too, for you have no second factor: set one up with "ssh GATEWAY mfa enroll", log in anew, and then ask for it.\n',
        1,
      ]);
      expect((await door.ssh('id', { key, login: 'rexec-vault' })).text).toBe('(default)@vault: id\n');
    }
    expect((await door.ssh('mfa require vault', { key: carol })).text).toBe('vault asks for none.\n');
    expect((await door.ssh('mfa require vault off', { key: carol })).status).toBe(0);
  });

  it('lets in logins that showed it, and no others', async () => {
    expect((await withCode('mfa require vault on')).text).toBe('vault asks for a second factor.\n');
    for (const attempt of [
      () => door.ssh('id', { key: carol, login: 'rexec-vault' }),
      () => door.ssh('ssh vault id', { key: carol }),
      () => door.ssh('id', { login: 'rexec-vault' }),
    ]) {
      const { stderr, status } = await attempt();
      expect(stderr).toContain('vault asks for a second factor and you have none');
      expect(status).toBe(255);
    }
    expect((await door.ssh('id', { key: carol, login: 'rexec-web' })).text).toBe('(default)@web: id\n');
    expect((await withCode('id', { login: 'rexec-vault' })).text).toBe('(default)@vault: id\n');
  });

  it('ends the sessions of those who showed none, and of nobody else', async () => {
    const { options } = await answering(factor.nextCode());
    const to = { port: door.port, knownHosts: door.knownHosts };
    const running = [
      collect(spawnSsh(to, 'wait', { key: carol, login: 'rexec-web' })),
      collect(spawnSsh(to, 'wait', { key: alice, login: 'rexec-web', ...options })),
    ] as const;
    const sessions = async () => (await door.ssh('session list')).text.match(/\bwait\b/g)?.length;
    await expect.poll(sessions).toBe(2);
    expect((await withCode('mfa require web on')).status).toBe(0);
    expect(await running[0]).toMatchObject({
      status: 255,
      stderr: 'postern: you may no longer use web.\n',
    });
    expect(await sessions()).toBe(1);
    await door.ssh('account disable alice');
    await running[1];
    await door.ssh('account enable alice');
  });

  it('an owner without a second factor cannot take it off', async () => {
    const outcome = await door.ssh('mfa require vault off', { key: carol });
    expect(outcome.stderr).toContain('vault asks for a second factor');
    expect((await door.ssh('mfa require vault', { key: carol })).text).toContain('asks for a second factor');
    expect((await withCode('mfa require vault off')).text).toBe('vault asks for none.\n');
    expect((await door.ssh('id', { key: carol, login: 'rexec-vault' })).status).toBe(7);
  });
});
