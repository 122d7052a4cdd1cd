/** A terminal in a container: `ssh -t rexec-web`, and the login shell. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { containerForAllTests, createTestEngine } from '../support/container-engine.ts';
import { runContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createEngineProxy } from '../support/engine-proxy.ts';
import { authorizationFor, runSession, startSession, terminal } from '../support/session-io.ts';
import { afterSpare } from '../support/spares.ts';

const ctrl = (letter: string) => String.fromCharCode(letter.charCodeAt(0) & 31);

describe.each([
  ['busybox, each by an exec', images.users, { prepares: false }, undefined],
  ['Debian, each by an exec', images.debian, { prepares: false }, undefined],
  ['busybox, each by a spare', images.users, {}, afterSpare],
  ['Debian, each by a spare', images.debian, {}, afterSpare],
])('a terminal in %s', (_name, image, options, wrap) => {
  const at = containerForAllTests(image, options, wrap);

  it('has its size at the first instruction of the program', async () => {
    for (let round = 0; round < 10; round++) {
      const { stdout } = await runSession(at.session, 'stty size', { pty: terminal(133, 47) });
      expect(stdout).toBe('47 133\r\n');
    }
  });

  it('window-change: the program is told of a new size', async () => {
    const running = startSession(
      at.session,
      `trap 'echo "new: $(stty size)"' WINCH; echo ready; while :; do sleep 0.1; done`,
      { pty: terminal(80, 24) },
    );
    await running.saw('ready');
    running.resize(100, 31);
    await running.saw('new: 31 100');
    running.resize(0, 0);
    running.resize(999_999, 50);
    await running.saw(/new: 50 4096/);
    running.vanish();
    await running.end;
  });

  it('is named in SSH_TTY and TERM, and is the terminal of all three streams', async () => {
    const { stdout, end } = await runSession(
      at.session,
      'tty; echo "$SSH_TTY"; echo "$TERM"; test -t 0 && test -t 1 && test -t 2 && echo all',
      { pty: terminal() },
    );
    const [name, ssh, ...rest] = stdout.split('\r\n');
    expect(name).toMatch(/^\/dev\/pts\/\d+$/);
    expect(ssh).toBe(name);
    expect(rest).toEqual(['xterm-256color', 'all', '']);
    expect(end).toEqual({ exitStatus: 0 });
  });

  it('shows nothing of the launcher, nor echoes what was typed before it was ready', async () => {
    const { stdout } = await runSession(at.session, 'read line; echo "got $line"', {
      pty: terminal(),
      stdin: 'typed early\n',
    });
    expect(stdout).toBe('typed early\r\ngot typed early\r\n');
  });

  it('terminal modes of the client are set', async () => {
    const { stdout } = await runSession(at.session, 'stty -a', {
      pty: terminal(
        80,
        24,
        new Map([
          [53, 0],
          [36, 0],
          [3, 8],
          [1, 255],
          [4, 21],
          [250, 7],
        ]),
      ),
    });
    expect(stdout).toMatch(/-echo\b/);
    expect(stdout).toMatch(/-icrnl/);
    expect(stdout).toMatch(/erase = \^H/);
    expect(stdout).toMatch(/intr = <undef>/);
  });

  it('a shell request is a login shell that can be typed to', async () => {
    const running = startSession(at.session, { kind: 'shell' }, { pty: terminal() });
    running.stdin.write('echo "0:$0 $((40 + 2)) $-"; pwd; exit 7\n');
    expect(await running.end).toEqual({ exitStatus: 7 });
    const text = running.stdout().toString();
    expect(text).toMatch(/0:\S*sh 42 \S*i/);
    expect(text).toMatch(/\/root\r\n/);
  });

  it('a login shell reads the profile, also without a terminal', async () => {
    await at.container.sh('mkdir -p /root && echo "echo profile was read" >/root/.profile');
    const { stdout } = await runSession(at.session, { kind: 'shell' }, { stdin: 'echo hello\n' });
    await at.container.sh('rm /root/.profile');
    expect(stdout).toBe('profile was read\nhello\n');
  });

  it('Ctrl-C interrupts, Ctrl-P and Ctrl-Q arrive at once and do not detach', async () => {
    const running = startSession(
      at.session,
      'stty raw -echo; echo ready; head -c 4 | od -An -tx1; stty sane; echo sane; sleep 300',
      {
        pty: terminal(),
      },
    );
    await running.saw('ready');
    running.stdin.write(`${ctrl('P')}${ctrl('Q')}${ctrl('P')}`);
    running.stdin.write(ctrl('Q'));
    await running.saw(/10 11 10 11\s+sane/);
    running.stdin.write(ctrl('C'));
    expect(await running.end).toEqual({ exitStatus: 130 });
  });

  it('a hostile TERM becomes a harmless one', async () => {
    const pty = { ...terminal(), term: 'x\ny; $(id)' };
    expect((await runSession(at.session, 'echo "[$TERM]"', { pty })).stdout).toBe('[dumb]\r\n');
  });

  it('a megabyte through the terminal arrives whole', async () => {
    const { stdout } = await runSession(at.session, 'head -c 1000000 /dev/zero | tr "\\0" x', {
      pty: terminal(),
    });
    expect(stdout.length).toBe(1_000_000);
  });
});

it('an engine too busy to know that a program runs is asked again until the terminal has its size', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-engine-'));
  const proxy = createEngineProxy();
  await proxy.listen(join(folder, 'docker.sock'));
  const engine = createTestEngine({ docker: `unix://${folder}/docker.sock`, prepares: false });
  const container = await runContainer(images.busybox);
  const session = engine.openSession(await authorizationFor(engine, container.id));
  proxy.refuseResizes(5);
  const running = startSession(session, 'echo ready; while :; do stty size; sleep 0.1; done', {
    pty: terminal(80, 24),
  });
  await running.saw('ready');
  running.resize(100, 31);
  await running.saw('31 100');
  running.vanish();
  await running.end;
  await engine.close();
  await proxy.vanish();
  await container.remove();
  await rm(folder, { recursive: true });
});
