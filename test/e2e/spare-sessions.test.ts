/** Sessions that begin by a spare are, to the byte, what they would be by an exec of their own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionHandler } from '../../src/sessions/session.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { authorizationFor, runSession, startSession, terminal } from '../support/session-io.ts';
import { countSpares, findSpare, spareWaits } from '../support/spares.ts';

const environment = [
  '-e',
  'LD_LIBRARY_PATH=/absent',
  '-e',
  'ODD= a=b "c" ',
  '-e',
  'EMPTY=',
  '-e',
  'TERM=own',
];
const acceptEnv = ['LANG', 'LC_*', 'LD_*', 'IFS', 'SHLVL'];
const modes = new Map([
  [53, 0],
  [36, 0],
  [3, 8],
  [1, 255],
]);
const awkward = ` '"\`$(touch /tmp/never)\${HOME}\\ * -n %s é\u0081\u07ff\u{1f600} `;
/** Every character of one and two bytes; a shell's own marks are among their bytes. */
const everyCharacter = Array.from({ length: 0x7ff }, (_, at) => String.fromCodePoint(at + 1)).join('');
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

describe.each([
  ['debian', undefined],
  ['debian', 'app'],
  ['users', undefined],
  ['users', 'alice'],
] as const)('in %s as %s', (image, user) => {
  let container: TestContainer;
  let plainEngine: ContainerEngine;
  let engine: ContainerEngine;
  let plain: SessionHandler;
  let prepared: SessionHandler;
  beforeAll(async () => {
    container = await runContainer(images[image], environment);
    plainEngine = createTestEngine({ prepares: false, acceptEnv });
    engine = createTestEngine({ acceptEnv });
    plain = plainEngine.openSession(await authorizationFor(plainEngine, container.id, user));
    prepared = engine.openSession(await authorizationFor(engine, container.id, user));
  });
  afterAll(async () => {
    await Promise.all([engine.close(), plainEngine.close()]);
    await container.remove();
  });
  /** Terminals are counted, and so are processes. */
  const withoutNumbers = (text: string) => text.replace(/pts\/\d+|pts-\d+/g, 'pts/N');

  it('it is the spare that becomes the program', async () => {
    await spareWaits(prepared, container);
    const spare = await findSpare(container);
    const { stdout } = await runSession(prepared, 'echo $$', { pty: terminal() });
    expect(stdout).toBe(`${spare.pid}\r\n`);
  });

  it.each([
    ['variables, in their order', 'env', {}],
    ['variables that the client sends', 'env | sort', { LANG: 'C.UTF-8', LC_ALL: '', LC_X: awkward }],
    ['a locale that is not there', 'env | sort', { LC_ALL: 'xx_YY', LC_CTYPE: 'zz' }],
    ['variables that mean something to shells', 'env | sort', { IFS: 'abc', LD_PRELOAD: '', SHLVL: '7' }],
    ['terminal', 'tty; stty -a; stty size; test -t 0 && test -t 1 && test -t 2 && echo all', {}],
    ['user and groups', 'id; id -Gn', {}],
    ['folder, mask and limits', 'pwd; umask; ulimit -a; ulimit -Ha; cat /proc/self/limits', {}],
    [
      'rights and signals',
      'grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|Sig[BIC]|Shd)" /proc/self/status; cat /proc/self/cgroup',
      {},
    ],
    [
      'open files',
      'ls -l /proc/self/fd 2>&1 | sed -E "s/.*([lrwx-]{10}) .* ([0-9]+ -> )/\\1 \\2/; s/[0-9]{3,}/N/; s|/proc/[0-9]+/|/proc/N/|"; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2',
      {},
    ],
    [
      'it leads its session, with a terminal of its own, in its foreground',
      'set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && [ $1 = $8 ] && [ $7 -gt 0 ] && echo leader of $4',
      {},
    ],
    ['its own argument list', 'tr "\\0" "\\n" </proc/$$/cmdline; cat /proc/$$/comm', {}],
    ['a command that is not there', 'absent-command', {}],
    ['a command of several lines', `echo one\n\necho 'two\n\n'\n\n`, {}],
    ['any character', `printf %s ${quoted(everyCharacter + awkward)} | od -c`, {}],
    ['a command longer than a line of a terminal', `printf %s ${quoted('x'.repeat(6_000))} | wc -c`, {}],
    ['a command that is too long for an order', `printf %s ${quoted('x'.repeat(30_000))} | wc -c`, {}],
    ['exit status', 'exit 255', {}],
    ['a killed program', 'kill -KILL $$', {}],
    ['a terminated program', 'kill -TERM $$', {}],
  ])('the same: %s', async (_what, command, env) => {
    const options = { env, stdin: 'typed\n', pty: terminal(133, 47, modes) };
    await spareWaits(prepared, container);
    const [one, other] = await Promise.all([
      runSession(plain, command, options),
      runSession(prepared, command, options),
    ]);
    expect(withoutNumbers(other.stdout)).toBe(withoutNumbers(one.stdout));
    expect({ ...other, stdout: '' }).toEqual({ ...one, stdout: '' });
  });

  it('the same: a login shell, its prompt and its job control', async () => {
    await container.sh('mkdir -p /root; echo "echo profile" >/etc/profile');
    const talk = async (handler: SessionHandler) => {
      const running = startSession(handler, { kind: 'shell' }, { pty: terminal() });
      const typed = ['echo "$0 $-"', 'sleep 1 & jobs; wait', '(exit 4)', 'stty size'];
      await running.saw(/[#$>] (\x1b\[6n)?$/);
      for (const [at, line] of typed.entries()) {
        running.stdin.write(`${line}; echo "ne""xt${at}"\n`);
        await running.saw(new RegExp(`next${at}\\r\\n[^]*[#$>] (\\x1b\\[6n)?$`));
      }
      running.stdin.write('exit 7\n');
      return {
        end: await running.end,
        text: running
          .stdout()
          .toString()
          .replace(/\[1\] \d+/g, '[1] N'),
      };
    };
    await spareWaits(prepared, container);
    const one = await talk(plain);
    expect(one.end).toEqual({ exitStatus: 7 });
    expect(one.text).toContain('24 80');
    expect(await talk(prepared)).toEqual(one);
  });

  it('signals and a hang-up reach it', async () => {
    await spareWaits(prepared, container);
    const running = startSession(
      prepared,
      'trap "echo got; exit 9" USR1; echo ready; while :; do sleep 0.1; done',
      {
        pty: terminal(),
      },
    );
    await running.saw('ready');
    running.signal('USR1');
    expect(await running.end).toEqual({ exitStatus: 9 });
    await spareWaits(prepared, container);
    const leaving = startSession(prepared, 'echo ready; sleep 4501', { pty: terminal() });
    await leaving.saw('ready');
    leaving.vanish();
    expect(await leaving.end).toMatchObject({ exitSignal: 'HUP' });
    expect(await container.sh('ls /tmp')).not.toContain('never');
    expect(await until(async () => (await countSpares(container)) < 2, 20_000)).toBe(true);
  });
});
