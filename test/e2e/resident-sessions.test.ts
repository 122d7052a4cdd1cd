/** Sessions that begin through a resident are, to the byte, what they would be by an exec of their own. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionHandler } from '../../src/sessions/session.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { residentSession, tellParent } from '../support/residents.ts';
import { authorizationFor, runSession, startSession } from '../support/session-io.ts';

const environment = [
  '-e',
  'LD_LIBRARY_PATH=/absent',
  '-e',
  'NODE_OPTIONS=--x',
  '-e',
  'ODD= a=b "c" ',
  '-e',
  'EMPTY=',
];

const acceptEnv = ['LANG', 'LC_*', 'NODE_OPTIONS', 'LD_PRELOAD'];

describe.each([
  ['debian', undefined],
  ['debian', 'app'],
  ['busybox', undefined],
  ['busybox', 'app'],
] as const)('in %s as %s', (image, user) => {
  let container: TestContainer;
  let plainEngine: ContainerEngine;
  let engine: ContainerEngine;
  let plain: SessionHandler;
  let quick: SessionHandler;
  beforeAll(async () => {
    container = await runContainer(images[image], environment);
    plainEngine = createTestEngine({ prepares: false, acceptEnv });
    engine = createTestEngine({ acceptEnv });
    plain = plainEngine.openSession(await authorizationFor(plainEngine, container.id, user));
    quick = await residentSession(engine, container, user);
  });
  afterAll(async () => {
    await Promise.all([engine.close(), plainEngine.close()]);
    await container.remove();
  });

  it.each([
    ['variables', 'env | sort', {}],
    [
      'variables that the client sends',
      'env | sort',
      { LANG: 'C.UTF-8', LC_ALL: '', NODE_OPTIONS: '--y', LD_PRELOAD: '' },
    ],
    ['user and groups', 'id; id -Gn', {}],
    ['folder, mask and limits', 'pwd; umask; ulimit -a; ulimit -Ha; cat /proc/self/limits', {}],
    [
      'rights and signals',
      'grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|Sig[BIC]|Shd)" /proc/self/status; cat /proc/self/cgroup',
      {},
    ],
    [
      'open files',
      'ls -l /proc/self/fd | sed -E "s/.*([lrwx-]{10}) .* ([0-9]+ -> )/\\1 \\2/; s/[0-9]{3,}/N/; s/ [A-Z][a-z]{2} +[0-9]+ [0-9:]{5} / /" ',
      {},
    ],
    ['outputs opened by name', 'echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin', {}],
    ['session and group', 'set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && echo leader $7', {}],
    ['a command that is not there', 'absent-command', {}],
    ['a shell that complains', 'if', {}],
    ['exit status', 'exit 255', {}],
    ['a killed program', 'kill -KILL $$', {}],
    ['a terminated program', 'kill -TERM $$', {}],
    ['a program that aborts', 'kill -ABRT $$', {}],
    ['a closed pipe', 'yes | head -n 1; echo ${PIPESTATUS-}', {}],
    ['a program that closes its output', 'exec >&- 2>&-; sleep 0.05; exit 3', {}],
  ])('the same: %s', async (_what, command, env) => {
    const options = { env, stdin: 'typed\n' };
    const [one, other] = await Promise.all([
      runSession(plain, command, options),
      runSession(quick, command, options),
    ]);
    expect(other).toEqual(one);
  });

  it('binary input and output come through whole, both ends passed on', async () => {
    const sent = randomBytes(3 * 1024 * 1024);
    const session = startSession(quick, 'cat; echo end >&2', { stdin: sent });
    expect(await session.end).toEqual({ exitStatus: 0 });
    expect(session.stdout().equals(sent)).toBe(true);
    expect(session.stderr().toString()).toBe('end\n');
  });

  it('20 MB written at once, just before exit, come whole', async () => {
    const { end, stdout } = await runSession(quick, 'head -c 20000000 /dev/zero; exit 7');
    expect(end).toEqual({ exitStatus: 7 });
    expect(stdout === '\0'.repeat(20_000_000)).toBe(true);
  });

  it('a background child that holds the output open does not hold the session', async () => {
    const delays: number[] = [];
    // A busy machine delays some.
    for (let round = 0; round < 3; round++) {
      const session = startSession(quick, 'sleep 300 & echo begun; exit 4', { stdin: '' });
      await session.saw('begun\n');
      const exited = Date.now();
      expect(await session.end).toEqual({ exitStatus: 4 });
      delays.push(Date.now() - exited);
      expect(session.stdout().toString()).toBe('begun\n');
    }
    expect(Math.min(...delays)).toBeLessThan(1_000);
  });

  it('signals reach the program', async () => {
    const session = startSession(
      quick,
      'trap "echo got; exit 9" USR1; echo ready; while :; do sleep 0.01; done',
    );
    await session.saw('ready');
    session.signal('USR1');
    expect(await session.end).toEqual({ exitStatus: 9 });
  });

  it('all that was through a resident, and the other by execs', async () => {
    expect((await runSession(quick, tellParent)).stdout).toContain('resident');
    expect((await runSession(plain, tellParent)).stdout).toBe('');
  });
});

it('the limit of open files is that of the container, though Node lets itself open more', async () => {
  const container = await runContainer(images.busybox, ['--ulimit', 'nofile=1234:4321']);
  const engine = createTestEngine();
  const session = await residentSession(engine, container);
  expect((await runSession(session, 'ulimit -Sn; ulimit -Hn')).stdout).toBe('1234\n4321\n');
  await engine.close();
  await container.remove();
});
