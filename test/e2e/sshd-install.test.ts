/** Installing an SSH server by every package manager there is a stand-in for, and by those that mean no good. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInstallSshd } from '../../src/container-sshd/install-sshd.ts';
import { createSlots } from '../../src/platform/slots.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { mostHeldMib } from '../support/held-memory.ts';
import { type RexecApi, startRexec } from '../support/rexec-api.ts';
import { asked, putManagers } from '../support/stand-in-managers.ts';

const order = ['apt-get', 'apk', 'dnf', 'yum', 'pacman', 'zypper'];
const commands: readonly (readonly [name: string, lines: readonly string[]])[] = [
  ['apt-get', ['apt-get update', 'apt-get install --yes --no-install-recommends openssh-server']],
  ['apk', ['apk add --no-cache openssh-server']],
  ['dnf', ['dnf install -y openssh-server']],
  ['yum', ['yum install -y openssh-server']],
  ['pacman', ['pacman -Sy --noconfirm --needed openssh']],
  ['zypper', ['zypper --non-interactive install openssh']],
];

describe('package managers', () => {
  const engine = createTestEngine();
  const install = createInstallSshd(engine, createSlots());
  let container: TestContainer;
  beforeAll(async () => {
    container = await runContainer(images.busybox);
  });
  afterAll(async () => {
    await engine.close();
    await container.remove();
  });

  const target = async () => {
    const found = (await engine.list()).find(({ id }) => id === container.id);
    if (!found) throw new Error('the container is gone');
    return found;
  };

  it.each(commands)('%s is asked before those that come after it: %j', async (name, lines) => {
    await putManagers(container, order.slice(order.indexOf(name)));
    await install(await target(), { closed: new AbortController().signal });
    expect((await asked(container)).split('\n')).toEqual([...lines, 'ssh-keygen -A', 'sshd started']);
  });

  it('passwords are forbidden, in the one file too where no folder is included', async () => {
    await putManagers(container, ['apk']);
    await install(await target(), { closed: new AbortController().signal });
    const forbidden = 'PasswordAuthentication no\nKbdInteractiveAuthentication no';
    expect(await container.sh('cat /etc/ssh/sshd_config.d/00-postern.conf')).toBe(forbidden);
    const file = await container.sh('cat /etc/ssh/sshd_config');
    expect(file).toBe(`${forbidden}\nPasswordAuthentication yes\nKbdInteractiveAuthentication yes`);
    await install(await target(), { closed: new AbortController().signal });
    expect(await container.sh('cat /etc/ssh/sshd_config')).toBe(file);
    expect(await container.sh('stat -c %a /run/sshd')).toBe('755');
  });

  it('an sshd that goes on taking passwords is not started', async () => {
    const stubborn = `#!/bin/sh
cp /opt/ssh-keygen /usr/sbin/
printf '#!/bin/sh\\n[ "$1" = -T ] || echo started >>/tmp/asked\\necho passwordauthentication yes\\n' >/usr/sbin/sshd
chmod 755 /usr/sbin/sshd
`;
    await putManagers(container, ['apk'], stubborn);
    await expect(install(await target(), { closed: new AbortController().signal })).rejects.toThrow(
      'sshd goes on taking passwords',
    );
    expect(await asked(container)).toBe('ssh-keygen -A');
  });

  it('prints-for-ever: a hostile package manager is bounded in memory, and ended with its caller', async () => {
    await putManagers(container, ['apk'], '#!/bin/sh\nexec yes "$(head -c 4000 /dev/zero | tr "\\\\0" x)"\n');
    const closing = new AbortController();
    const held = await mostHeldMib(async () => {
      const running = install(await target(), { closed: closing.signal });
      setTimeout(() => closing.abort(), 3_000);
      await expect(running).rejects.toMatchObject({ code: 'session-ended' });
    });
    expect(held).toBeLessThan(16);
    await expect.poll(() => container.sh('ps | grep -c "[y]es x" || true'), { timeout: 15_000 }).toBe('0');
  });
});

describe('what Rexec answers', () => {
  let rexec: RexecApi;
  let container: TestContainer;
  let bare: TestContainer;
  beforeAll(async () => {
    rexec = await startRexec({ config: { execSessionTimeoutMs: 10_000, hangupGraceMs: 500 } });
    container = await runContainer(images.busybox);
    bare = await runContainer(images.noshell, ['-i'], ['/bin/cat']);
  });
  afterAll(async () => {
    await rexec.stop();
    await container.remove();
    await bare.remove();
  });

  it('a manager that fails: its status and its last lines, with nothing in them that drives a terminal', async () => {
    const failing = '#!/bin/sh\nseq 100\nprintf "no \\033[31mspace\\n" >&2\nexit 3\n';
    await putManagers(container, ['apk'], failing);
    const [status, answer] = await rexec.told('POST', `/install/${container.name}`);
    expect(status).toBe(500);
    const lines = [...Array.from({ length: 9 }, (_, index) => String(92 + index)), 'no \\x1b[31mspace'];
    expect(answer).toEqual({
      error: 'SSH installation failed',
      exit_code: 3,
      step: 'apk add --no-cache openssh-server',
      output: lines.join('\n'),
    });
    const told = await rexec.ssh(`sshd install ${container.name}`);
    expect(told.status).toBe(1);
    expect(told.stderr).toContain(`failed: apk add --no-cache openssh-server ended with status 3: 92; 93`);
  });

  it('an image without any of them, and one without even a shell', async () => {
    await putManagers(container, []);
    const unable = [500, { error: 'unable to determine install command for this image' }];
    expect(await rexec.told('POST', `/install/${container.name}`)).toEqual(unable);
    expect(await rexec.told('POST', `/install/${bare.name}`)).toEqual(unable);
    expect((await rexec.told('GET', `/status/${bare.name}`))[1]).toMatchObject({
      installed: false,
      port: 22,
    });
  });

  it('never-ends: it is ended at the time limit, and another may begin', async () => {
    await putManagers(container, ['apk'], '#!/bin/sh\nexec sleep 54321\n');
    expect((await rexec.told('POST', `/install/${container.name}`))[0]).toBe(504);
    await expect
      .poll(() => container.sh('ps | grep -c "[s]leep 54321" || true'), { timeout: 15_000 })
      .toBe('0');
    await putManagers(container, ['apk']);
    const [status, answer] = await rexec.told('POST', `/install/${container.name}`);
    expect([status, answer]).toEqual([
      200,
      { message: 'SSH server installed and configured', container_id: container.id },
    ]);
    expect((await rexec.told('GET', `/status/${container.name}`))[1]).toMatchObject({
      installed: true,
      running: false,
      port: 2022,
    });
  });

  it('hangs-up-midway: what a client began by HTTP ends with its connection', async () => {
    await putManagers(container, ['apk'], '#!/bin/sh\nexec sleep 65432\n');
    const path = `/api/ssh/install/${container.name}`;
    const args = ['--max-time', '1'];
    const askedAtMs = performance.now();
    expect((await rexec.ask({ token: rexec.token, path, args })).curlStatus).toBe(28);
    // Before the time limit, which would end it, too.
    const timeout = 9_500 - (performance.now() - askedAtMs);
    await expect.poll(() => container.sh('ps | grep -c "[s]leep 65432" || true'), { timeout }).toBe('0');
  });

  it('a stranger gets the same answer as for no container at all, and somebody with a grant may not change it', async () => {
    const gus = await rexec.addMember('gus');
    const token = await rexec.apiKey('--cmds="sshd status,sshd sync,sshd install"', gus);
    for (const [method, path] of [
      ['GET', 'status'],
      ['POST', 'sync'],
      ['POST', 'install'],
    ] as const) {
      const found = await rexec.told(method, `/${path}/${container.name}`, undefined, token);
      expect(found).toEqual([404, { error: 'container not found' }]);
    }
    await rexec.ssh(`share add ${container.name} gus`);
    expect((await rexec.told('GET', `/status/${container.name}`, undefined, token))[0]).toBe(200);
    expect((await rexec.told('POST', `/sync/${container.name}`, undefined, token))[0]).toBe(403);
    expect((await rexec.told('POST', `/install/${container.name}`, undefined, token))[0]).toBe(403);
  });
});

describe('who watches an installation', () => {
  it('sees escape sequences of the container as text, and over HTTP gets the answer alone, however long it takes', async () => {
    const rexec = await startRexec({ config: { execTimeoutMs: 3_000 } });
    const container = await runContainer(images.busybox);
    try {
      const noisy = `#!/bin/sh
printf 'one\\r\\033]0;title\\007two\\n'
sleep 4
cp /opt/sshd /opt/ssh-keygen /usr/sbin/
`;
      await putManagers(container, ['apk'], noisy);
      const line = `sshd install ${container.name}`;
      const watched = await rexec.ssh(line);
      expect(watched.stderr).toBe('one\n\\x1b]0;title\\x07two\n');
      const answer = await rexec.ask({ token: rexec.token, line });
      expect(answer.status).toBe(200);
      expect(answer.json()).toMatchObject({
        container_id: container.id,
        user: 'root',
        synced: 1,
        left_out: [],
      });
      expect((await rexec.told('POST', `/install/${container.name}`))[0]).toBe(200);
    } finally {
      await rexec.stop();
      await container.remove();
    }
  });
});
