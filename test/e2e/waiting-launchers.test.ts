/** Sessions whose launcher was started before they began: nobody notices, whatever is done to those that wait. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionHandler } from '../../src/sessions/session.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { countProcesses, until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { residentSession } from '../support/residents.ts';
import { authorizationFor, runSession } from '../support/session-io.ts';

/** In the command line of each that waits. */
const mark = 'postern_words';
const waitsLongEnoughMs = 200;

describe.each([
  ['debian', undefined],
  ['busybox', 'app'],
] as const)('in %s as %s', (image, user) => {
  let container: TestContainer;
  let engine: ContainerEngine;
  let plainEngine: ContainerEngine;
  let plain: SessionHandler;
  let session: SessionHandler;
  beforeAll(async () => {
    container = await runContainer(images[image], ['-e', 'ODD= a=b "c" ']);
    engine = createTestEngine();
    plainEngine = createTestEngine({ prepares: false });
    plain = plainEngine.openSession(await authorizationFor(plainEngine, container.id, user));
    session = await residentSession(engine, container, user);
  });
  afterAll(async () => {
    await Promise.all([engine.close(), plainEngine.close()]);
    await container.remove();
  });
  const waiting = () => countProcesses(container.id, mark);
  /** One that is still on its way to wait is not taken. */
  const asleep = () =>
    container.sh(`for each in /proc/[0-9]*; do case "$(tr '\\0' ' ' <$each/cmdline 2>/dev/null)" in
      *sh*${mark}*postern*) [ "$each" = /proc/$$ ] || grep -o ') S ' $each/stat ;; esac; done; :`);
  const oneWaits = async () => {
    await runSession(session, 'true');
    expect(await until(async () => (await waiting()) === 1 && (await asleep()) === ') S', 20_000)).toBe(true);
    await pause(waitsLongEnoughMs);
  };
  const signalWaiting = (signal: string) =>
    container.sh(`for each in /proc/[0-9]*; do case "$(tr '\\0' ' ' <$each/cmdline 2>/dev/null)" in
      *sh*${mark}*postern*) [ "$each" = /proc/$$ ] || kill -${signal} "\${each#/proc/}" ;; esac; done`);
  /** How long the program's process has been there. */
  const age = 'read -r up _ </proc/uptime; set -- $(cat /proc/$$/stat); echo "$up $((${22}))"';
  const ageMs = (told: string) => {
    const [up = 0, started = 0] = told.split(' ').map(Number);
    return up * 1_000 - started * 10;
  };

  it('a session like the one before it begins by a launcher that has waited', async () => {
    await oneWaits();
    expect(ageMs((await runSession(session, age)).stdout)).toBeGreaterThan(waitsLongEnoughMs - 50);
  });

  it.each([
    ['variables', 'env | sort'],
    ['several lines, and what shells like', 'echo "a\n  b\\n $HOME"\nprintf "%s" \'"c"\'\n'],
    ['stdin', 'cat; echo end'],
    ['a command that is not there', 'absent-command'],
    ['exit status', 'exit 255'],
    ['a killed program', 'kill -KILL $$'],
    ['files, folder and limits', 'ls /proc/self/fd; pwd; umask; ulimit -a'],
    ['what it is called', 'tr "\\0" "\\n" </proc/$$/cmdline; cat /proc/$$/comm'],
    ['rights and signals', 'grep -E "^(Uid|Gid|Groups|NoNewPrivs|Cap|Sig[BIC])" /proc/self/status'],
  ])('the same as by an exec: %s', async (_what, command) => {
    await oneWaits();
    const waited = await runSession(session, command, { stdin: '2\n1\ntyped\n' });
    expect(waited).toEqual(await runSession(plain, command, { stdin: '2\n1\ntyped\n' }));
  });

  it.each(['KILL', 'STOP'])('%s: one that cannot go on is not waited for', async (signal) => {
    await oneWaits();
    await signalWaiting(signal);
    expect(await runSession(session, 'echo here')).toEqual({
      end: { exitStatus: 0 },
      stdout: 'here\n',
      stderr: '',
    });
    await signalWaiting('CONT');
  });

  it('a session with other variables does not get it', async () => {
    await oneWaits();
    const begun = performance.now();
    const { stdout } = await runSession(session, `${age}; echo "$LANG"`, { env: { LANG: 'C.UTF-8' } });
    const tookMs = performance.now() - begun;
    expect(stdout).toMatch(/\nC\.UTF-8\n$/);
    expect(ageMs(stdout.split('\n', 1)[0] ?? '')).toBeLessThan(Math.max(tookMs, waitsLongEnoughMs));
  });

  it('no more than a few wait, and none when the gateway is gone', async () => {
    for (let each = 0; each < 6; each++) await runSession(session, 'true', { env: { LANG: `C.${each}` } });
    expect(await until(async () => (await waiting()) > 1, 20_000)).toBe(true);
    await pause(waitsLongEnoughMs);
    // Far sooner than any would leave by itself.
    expect(await until(async () => (await waiting()) <= 3, 20_000)).toBe(true);
    await engine.close();
    expect(await until(async () => (await waiting()) === 0, 20_000)).toBe(true);
  });
});
