/** What authorized_keys options do to a key's sessions, with the real ssh and a container of the real engine. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeContainer, startContainer, type TestContainer } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';

const web = `opt-${randomBytes(3).toString('hex')}`;
const login = `rexec-${web}`;

let door: TestGateway;
let container: TestContainer;
beforeAll(async () => {
  [door, container] = await Promise.all([startTestGateway(), startContainer({ name: web })]);
});
afterAll(async () => {
  await removeContainer(container);
  await door.stop();
});

/** A fresh key of the admin, with options in front of it, or flags. */
async function keyWith(options: string, flags = ''): Promise<KeyPair> {
  const key = await makeKeyPair();
  const added = await door.ssh(`ssh-key add ${flags}`, { stdin: `${options} ${key.publicKey}`.trim() });
  expect([added.stderr, added.status]).toEqual(['', 0]);
  return key;
}

/** The same by the option and by the flag. */
const bothWays = (option: string, flag: string) => [
  ['the option', option, ''],
  ['the flag', '', flag],
];

describe('from', () => {
  it.each(bothWays('from="192.0.2.0/24"', '--from=192.0.2.0/24'))(
    'by %s: elsewhere the key is no key',
    async (_by, options, flags) => {
      const key = await keyWith(options as string, flags);
      const outcome = await door.ssh('whoami', { key, args: ['-o', 'LogLevel=INFO'] });
      expect(outcome.status).toBe(255);
      expect(outcome.stderr).toContain('this key may not be used from your address (its from= option)');
      expect(outcome.stderr).toContain('Permission denied');
    },
  );

  it('lets in from where it says', async () => {
    const key = await keyWith('', '--from=127.0.0.0/8,!127.0.0.9');
    expect((await door.ssh('whoami', { key })).status).toBe(0);
  });
});

describe('expiry-time', () => {
  it('expired-meanwhile: ends the key, and what was begun with it', async () => {
    const later = new Date(Date.now() + 15_000).toISOString().replace(/[-:T]|\..*/g, '');
    const key = await keyWith(`expiry-time="${later}Z"`);
    expect((await door.ssh('whoami', { key })).status).toBe(0);
    const begun = await door.ssh('sleep 600', { key, login });
    expect(begun.stderr).toContain('the key you are connected with has expired.');
    expect(begun.status).toBe(255);
    const outcome = await door.ssh('whoami', { key, args: ['-o', 'LogLevel=INFO'] });
    expect(outcome.stderr).toMatch(/this key expired on \S+; log in with another one of yours, or ask/);
    expect(outcome.status).toBe(255);
  });
});

describe('command', () => {
  it.each(
    bothWays(
      `command="echo ran; echo \\"$SSH_ORIGINAL_COMMAND\\""`,
      `--command='echo ran; echo "$SSH_ORIGINAL_COMMAND"'`,
    ),
  )('by %s: runs instead of what was asked, and is told what that was', async (_by, options, flags) => {
    const key = await keyWith(options as string, flags);
    const outcome = await door.ssh("cat '/etc/shadow'\nid", { key, login });
    expect([outcome.text, outcome.status]).toEqual(["ran\ncat '/etc/shadow'\nid\n", 0]);
    const sftp = await door.ssh('sftp', { key, login, args: ['-s'] });
    expect(sftp.text).toBe('ran\nsftp\n');
  });

  it('forged-original-command: a client cannot make one up', async () => {
    const open = await startTestGateway({ config: { acceptEnv: ['*'] } });
    try {
      const forged = await open.ssh('echo "[$SSH_ORIGINAL_COMMAND]"', {
        login,
        args: ['-o', 'SetEnv=SSH_ORIGINAL_COMMAND=forged'],
      });
      expect(forged.text).toBe('[]\n');
    } finally {
      await open.stop();
    }
  });

  it('is a line of the lobby where the login name is nobody in particular', async () => {
    const key = await keyWith('', `--command='ssh ${web} echo "$SSH_ORIGINAL_COMMAND"'`);
    expect((await door.ssh('anything at all', { key })).text).toBe('anything at all\n');
  });
});

describe('terminals', () => {
  it.each(['restrict', 'no-pty'])('%s: none, in a target and in the lobby', async (option) => {
    for (const key of [await keyWith(option), await keyWith('', `--${option}`)]) {
      for (const to of [login, 'somebody']) {
        const outcome = await door.ssh('whoami', { key, login: to, args: ['-tt'] });
        expect(outcome.text + outcome.stderr).toContain('a terminal is not allowed here');
        expect(outcome.status).toBe(255);
        expect((await door.ssh('whoami', { key, login: to })).status).toBe(0);
      }
    }
  });
});

describe('permitopen', () => {
  const jump = async (key: KeyPair, destination: string) => {
    const file = await sshConfigFile(door);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(door.admin.file, key.file));
    // Garbage behind the version line ends the inner connection at once.
    const stdin = Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(64, 0xff)]);
    const args = ['-o', 'LogLevel=INFO', '-W', destination, 'postern'];
    return viaConfig(file, args, { stdin });
  };
  const isOpen = async (key: KeyPair, destination: string) =>
    (await jump(key, destination)).text.startsWith('SSH-2.0-');

  it('by option or flag: a jump reaches those targets and no others', async () => {
    const narrow = await Promise.all([
      keyWith(`permitopen="other:22",permitopen="${web}:22"`),
      keyWith('', `--permit-open=other:22,${web}:*`),
      keyWith('', `--permit-open=rexec-${web}:22`),
      keyWith('', '--permit-open=*:22'),
    ]);
    const open = narrow.flatMap((key) => [isOpen(key, `rexec-${web}:22`), isOpen(key, `${web}:22`)]);
    expect(await Promise.all(open)).toEqual(open.map(() => true));
  });

  it('permitopen-bypass: another port, another name or the id of the same target is refused', async () => {
    for (const [permitted, asked] of [
      [`${web}:2222`, `${web}:22`],
      ['other:22', `${web}:22`],
      [`${web}:22`, `${container.id.slice(0, 12)}:22`],
      [`${web.slice(0, -1)}:22`, `${web}:22`],
      ['*:23', `${web}:22`],
    ]) {
      const outcome = await jump(await keyWith('', `--permit-open=${permitted}`), asked as string);
      expect(outcome.text).toBe('');
      expect(outcome.stderr).toContain(`may be forwarded to ${permitted} only`);
    }
  });

  it('adds nothing to a key that may not forward', async () => {
    const key = await keyWith(`restrict,permitopen="${web}:22"`);
    expect((await jump(key, `${web}:22`)).stderr).toContain('may not forward');
  });
});

describe('environment', () => {
  const show = 'echo "$LANG $LC_ALL $LC_TIME"';
  const args = ['-o', 'SetEnv=LANG=client LC_TIME=client'];

  it("reaches the program, and wins over the client's, as in sshd", async () => {
    const key = await keyWith('environment="LANG=of-the-key",environment="LC_ALL=a b"');
    expect((await door.ssh(show, { key, login, args })).text).toBe('of-the-key a b client\n');
    expect((await door.ssh(`ssh ${web} ${show}`, { key, args })).text).toBe('of-the-key a b client\n');
  });

  it('environment-smuggling: names that the operator does not accept are refused when the key is added', async () => {
    const key = await makeKeyPair();
    for (const name of ['LD_PRELOAD', 'PATH', 'HOME', 'SSH_CONNECTION']) {
      const added = await door.ssh('ssh-key add', { stdin: `environment="${name}=x" ${key.publicKey}` });
      expect(added.stderr).toContain(`the option environment sets ${name}`);
      expect(added.status).toBe(2);
    }
  });

  it('environment-smuggling: and left out when the operator accepts them no longer', async () => {
    const before = await startTestGateway({ config: { acceptEnv: ['SECRET', 'LANG'] } });
    const key = await makeKeyPair();
    await before.ssh('ssh-key add', {
      stdin: `environment="SECRET=x",environment="LANG=key" ${key.publicKey}`,
    });
    const { dataDir, hostKeysDir, admin } = before;
    await before.gateway.stop();
    const after = await startTestGateway({ folders: { dataDir, hostKeysDir }, admin });
    expect((await after.ssh('echo "[$SECRET] $LANG"', { key, login })).text).toBe('[] key\n');
    await after.stop();
    await before.stop();
  });
});

describe('ssh-key list', () => {
  it('shows what goes with a key, as text and as JSON', async () => {
    const key = await keyWith(
      'permitlisten="8080",environment="LANG=C"',
      '--restrict --from=127.0.0.1 --permit-open=a:1,b:2',
    );
    const { text } = await door.ssh('ssh-key list');
    const line = text.split('\n').find((row) => row.includes(key.fingerprint)) as string;
    for (const part of ['from=127.0.0.1', 'no-pty', 'no-port-forwarding', 'no-agent-forwarding']) {
      expect(line).toContain(part);
    }
    for (const part of ['permitopen=a:1, permitopen=b:2', 'permitlisten=8080', 'environment=LANG=C']) {
      expect(line).toContain(part);
    }
    const { ssh_keys: rows } = JSON.parse((await door.ssh('ssh-key list --json')).text) as {
      ssh_keys: { fingerprint: string; restrictions?: object }[];
    };
    expect(rows.find(({ fingerprint }) => fingerprint === key.fingerprint)?.restrictions).toEqual({
      from: '127.0.0.1',
      no_pty: true,
      no_port_forwarding: true,
      no_agent_forwarding: true,
      permitopen: ['a:1', 'b:2'],
      permitlisten: ['8080'],
      environment: ['LANG=C'],
    });
    expect(rows.find(({ fingerprint }) => fingerprint === door.admin.fingerprint)).not.toHaveProperty(
      'restrictions',
    );
  });

  it('restricted: such a key adds no key', async () => {
    for (const flags of ['--restrict', '--no-pty', '--permit-open=web:22', '--no-agent-forwarding']) {
      const key = await keyWith('', flags);
      const outcome = await door.ssh('ssh-key add', { key, stdin: (await makeKeyPair()).publicKey });
      expect(outcome.stderr).toContain('the key you used is restricted');
    }
  });

  it('what the line and the flags both say, or only a security key can keep, is refused', async () => {
    const { publicKey } = await makeKeyPair();
    for (const [options, flags, sentence] of [
      ['from="10.0.0.1"', '--from=127.0.0.1', 'leave one of them out'],
      ['command="a"', '--command=b', 'leave one of them out'],
      ['permitopen="a:1"', '--permit-open=b:2', 'leave one of them out'],
      ['', '--verify-required', 'for security keys (sk-…) only'],
      ['no-touch-required', '', 'for security keys (sk-…) only'],
      ['', '--permit-open=web', 'HOST:PORT'],
      ['', '--from=example.com', 'no address'],
    ]) {
      const outcome = await door.ssh(`ssh-key add ${flags}`, { stdin: `${options} ${publicKey}`.trim() });
      expect(outcome.stderr).toContain(sentence);
      expect(outcome.status).toBe(2);
    }
  });
});
