/** As whom, where and with which environment a program runs in a container. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { authorizationFor, runSession, terminal } from '../support/session-io.ts';

let engine: ContainerEngine;
let container: TestContainer;
const containers: TestContainer[] = [];

const open = async (image: string, ...options: readonly string[]): Promise<TestContainer> => {
  const opened = await runContainer(image, options);
  containers.push(opened);
  return opened;
};
/** Output of a command in `where` as `user`. */
const run = async (where: TestContainer, user: string | undefined, command: string) =>
  runSession(engine.openSession(await authorizationFor(engine, where.id, user)), command);
const output = async (where: TestContainer, user: string | undefined, command: string) => {
  const { stdout, stderr } = await run(where, user, command);
  expect(stderr).toBe('');
  return stdout.trim();
};

beforeAll(async () => {
  engine = createTestEngine({ acceptEnv: ['LC_*', 'HOME', 'SSH_CONNECTION', 'BASH_ENV', 'ENV', 'LD_*'] });
  container = await open(images.users);
});
afterAll(async () => {
  await engine.close();
  await Promise.all(containers.map((each) => each.remove()));
});

describe('users', () => {
  it('supplementary-groups: a user has all of its groups', async () => {
    expect(await output(container, 'alice', 'id -un; id -G')).toMatch(
      /^alice\n(?=.*\b1000\b)(?=.*\b50\b)(?=.*\b29\b)/,
    );
  });

  it('without a name it is the user of the image, else root', async () => {
    expect(await output(container, undefined, 'id -u; echo $HOME $USER $LOGNAME $SHELL')).toBe(
      '0\n/root root root /bin/sh',
    );
    const configured = await open(images.users, '--user', 'alice');
    expect(await output(configured, undefined, 'id -un; echo $HOME $USER')).toBe('alice\n/home/alice alice');
    const numeric = await open(images.users, '--user', '1000:50');
    expect(await output(numeric, undefined, 'id -u; id -g; echo $USER')).toBe('1000\n50\nalice');
    expect(await output(numeric, 'root', 'id -u')).toBe('0');
  });

  it('a number without an entry in passwd is a user too', async () => {
    expect(await output(container, '4321', 'id -u; echo $HOME $USER $SHELL; pwd')).toBe(
      '4321\n/ 4321 /bin/sh\n/',
    );
  });

  it('no-such-user: one sentence, nothing runs', async () => {
    await expect(run(container, 'nobody-here', 'echo hi')).rejects.toMatchObject({
      code: 'no-such-user',
      exitStatus: 255,
    });
  });

  it.each([
    'alice:0',
    'alice:root',
    '+0',
    '-1',
    ' 0',
    '',
    '0x0',
    '99999999999',
    'root\n',
    '__proto__',
    '1000:0',
  ])('privilege by user name: %j is no user', async (user) => {
    await expect(run(container, user, 'id')).rejects.toMatchObject({ code: 'no-such-user' });
  });

  it('a user added while the container runs is found', async () => {
    await container.sh('echo "late:x:1234:1234::/tmp:/bin/sh" >>/etc/passwd');
    expect(await output(container, 'late', 'id -u; pwd')).toBe('1234\n/tmp');
  });

  it('a user removed while the container runs gets a sentence', async () => {
    await container.sh('echo "brief:x:1235:1235::/tmp:/bin/sh" >>/etc/passwd');
    expect(await output(container, 'brief', 'id -u')).toBe('1235');
    await container.sh('sed -i /^brief:/d /etc/passwd');
    await expect(run(container, 'brief', 'id')).rejects.toMatchObject({ code: 'no-such-user' });
  });

  it('a shell that passwd names but the image lacks is replaced by one that is there', async () => {
    expect(await output(container, 'oddshell', 'id -un; echo $SHELL')).toBe('oddshell\n/bin/sh');
  });

  it('a login shell that is none is started without the option, which it would not know', async () => {
    for (const [name, words] of [
      ['menu', 0],
      ['git-shell', 0],
      ['zsh-5.9', 1],
      ['ksh93', 1],
    ] as const) {
      await container.sh(
        `printf '#!/bin/sh\\necho $#' >/bin/${name}; chmod +x /bin/${name}; echo '${name}:x:1400:1400::/:/bin/${name}' >>/etc/passwd`,
      );
      const handler = engine.openSession(await authorizationFor(engine, container.id, name));
      expect((await runSession(handler, { kind: 'shell' })).stdout, name).toBe(`${words}\n`);
      expect((await runSession(handler, 'ls')).stdout).toBe('2\n');
    }
  });

  it('passwd may be a symbolic link, and one that leads out of the container is not followed', async () => {
    const linked = await open(images.users);
    await linked.sh('mv /etc/passwd /root/real && ln -s /root/real /etc/passwd');
    expect(await output(linked, 'alice', 'id -un')).toBe('alice');
    const outward = await open(images.users);
    await outward.sh(
      'mkdir /deep && mv /etc/passwd /deep/passwd && ln -s ../../../../deep/passwd /etc/passwd',
    );
    expect(await output(outward, 'alice', 'id -un')).toBe('alice');
  });

  it('a huge passwd is refused, not read', async () => {
    const huge = await open(images.users);
    await huge.sh('head -c 9000000 /dev/zero >/etc/passwd');
    await expect(run(huge, undefined, 'id')).rejects.toMatchObject({ code: 'engine-failed' });
  });

  it('bash of Debian is the login shell that its passwd names', async () => {
    const debian = await open(images.debian);
    expect(await output(debian, undefined, 'echo $SHELL; [ $BASH_VERSION ] && echo is bash')).toMatch(
      /^\/bin\/bash\nis bash$/,
    );
  });
});

describe('folder', () => {
  it('is the home, and / where there is none; the WORKDIR of the image does not count', async () => {
    const elsewhere = await open(images.users, '--workdir', '/etc');
    expect(await output(elsewhere, 'alice', 'pwd')).toBe('/home/alice');
    expect(await output(elsewhere, 'homeless', 'pwd')).toBe('/');
  });

  it('the label rexec.workdir comes first, where it can be entered', async () => {
    const labelled = await open(images.users, '--label', 'rexec.workdir=/tmp');
    expect(await output(labelled, 'alice', 'pwd')).toBe('/tmp');
    const wrong = await open(images.users, '--label', 'rexec.workdir=/absent; id');
    expect(await output(wrong, 'alice', 'pwd')).toBe('/home/alice');
  });
});

describe('environment', () => {
  const runWith = async (env: Record<string, string>, command = 'env', pty = false) =>
    runSession(engine.openSession(await authorizationFor(engine, container.id)), command, {
      env,
      ...(pty ? { pty: terminal() } : {}),
    });

  it("has the container's own, then who and from where", async () => {
    const own = await open(images.users, '--env', 'FROM_IMAGE=yes it is');
    const variables = (await output(own, 'alice', 'env')).split('\n');
    expect(variables).toEqual(
      expect.arrayContaining([
        'FROM_IMAGE=yes it is',
        'HOME=/home/alice',
        'USER=alice',
        'LOGNAME=alice',
        'SHELL=/bin/sh',
        'SSH_CONNECTION=192.0.2.7 50123 198.51.100.1 2222',
        'SSH_CLIENT=192.0.2.7 50123 2222',
      ]),
    );
    expect(variables.filter((each) => /^(SSH_TTY|TERM|OLDPWD)=|postern/i.test(each))).toEqual([]);
  });

  it('lets in what acceptEnv names, and nothing else', async () => {
    const { stdout } = await runWith({ LC_ALL: 'de_DE.UTF-8', LANGUAGE: 'x', PATH: '/evil', FOO: 'bar' });
    expect(stdout).toContain('LC_ALL=de_DE.UTF-8\n');
    expect(stdout).not.toMatch(/^LANGUAGE=|^PATH=\/evil|^FOO=/m);
  });

  it('values arrive as they are, and no shell reads them', async () => {
    const value = '$(touch /tmp/owned) `id` \'" \\ ; * é';
    expect((await runWith({ LC_TEST: value }, 'echo "$LC_TEST"; ls /tmp')).stdout).toBe(`${value}\n`);
  });

  it('hostile-env-names: what is no name, or holds a line break, is left out', async () => {
    const { stdout, end } = await runWith({
      'LC_A=B': '1',
      'LC_\nX': '2',
      'LC_ Y': '3',
      'LC_%': '4',
      'LC_()': '() { :; }; echo owned',
      LC_LINE: 'a\nHOME=/evil',
      LC_CR: 'a\rb',
      '': '5',
      __proto__: '6',
      'BASH_FUNC_exec%%': '() { echo owned; }',
      LC_FINE: 'fine',
    });
    expect(end).toEqual({ exitStatus: 0 });
    expect(
      stdout
        .split('\n')
        .filter((each) => /LC_|owned|evil|^HOME/.test(each))
        .sort(),
    ).toEqual(['HOME=/root', 'LC_FINE=fine']);
  });

  it('cannot replace what the gateway states, even where acceptEnv would let it', async () => {
    const { stdout } = await runWith({ HOME: '/evil', SSH_CONNECTION: '1.1.1.1 1 1.1.1.1 1' });
    expect(stdout).toContain('HOME=/root\n');
    expect(stdout).not.toContain('1.1.1.1');
  });

  it('BASH_ENV, ENV and a broken LD_PRELOAD do not come before the launcher', async () => {
    const debian = await open(images.debian, '--env', 'LD_PRELOAD=/absent.so');
    await docker('exec', debian.id, 'sh', '-c', 'echo "echo owned" >/tmp/start');
    const session = engine.openSession(await authorizationFor(engine, debian.id));
    const { stdout, stderr, end } = await runSession(session, 'exec 2>/dev/null; echo hi', {
      env: { ENV: '/tmp/start' },
    });
    expect({ stdout, end }).toEqual({ stdout: 'hi\n', end: { exitStatus: 0 } });
    expect(stderr).not.toContain('postern');
  });
});
