/** What becomes of programs that a resident has started when their client is gone, or the resident is. */
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionHandler } from '../../src/sessions/session.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { countProcesses, until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { residentSession, tellParent } from '../support/residents.ts';
import { authorizationFor, runSession, startSession } from '../support/session-io.ts';

const hungUp = { exitSignal: 'HUP', message: 'the client went away' };

describe('a program of a resident', () => {
  let container: TestContainer;
  let engine: ContainerEngine;
  let session: SessionHandler;
  beforeAll(async () => {
    container = await runContainer(images.debian);
    engine = createTestEngine({ hangupGraceMs: 300 });
    session = await residentSession(engine, container, 'app');
  });
  afterAll(async () => {
    await engine.close();
    await container.remove();
  });
  const count = (word: string) => countProcesses(container.id, word);
  const becomes = (word: string, expected: number, everyMs?: number) =>
    until(async () => (await count(word)) === expected, 20_000, everyMs);
  /** Of another engine: one that was too busy to answer for a moment is not used for a while. */
  const again = async () => {
    await engine.close();
    engine = createTestEngine({ hangupGraceMs: 300 });
    session = await residentSession(engine, container, 'app');
  };
  const signalResident = (signal: string) =>
    container.sh(`for each in /proc/[0-9]*; do case "$(tr '\\0' ' ' <$each/cmdline 2>/dev/null)" in
      /proc/*/resident.*) kill -${signal} "\${each#/proc/}" ;; esac; done`);

  it('ends when the client vanishes: 100 at once, with what they started, and none is left', async () => {
    const running = Array.from({ length: 100 }, () =>
      startSession(session, 'echo ready; sleep 4101 & trap : HUP; sleep 4101; sleep 4101'),
    );
    await Promise.all(running.map((each) => each.saw('ready')));
    for (const each of running) each.vanish();
    expect(await Promise.all(running.map((each) => each.end))).toEqual(running.map(() => hungUp));
    // The engine lists processes by a ps of the whole machine, where 400 of these are about to end.
    expect(await becomes('4101', 0, 250)).toBe(true);
  });

  it('lives on where it ignores HUP or has left the session', async () => {
    // They have begun, so what stood before them in their processes is done.
    const begun = 'until [ "$(pgrep -cxf "sleep 4102")" = 2 ]; do sleep 0.1; done';
    const command = `nohup sleep 4102 >/dev/null 2>&1 & setsid sleep 4102 & ${begun}; echo ready; sleep 4103`;
    const running = startSession(session, command);
    await running.saw('ready');
    running.vanish();
    expect(await becomes('4103', 0)).toBe(true);
    await pause(3_000);
    expect(await count('4102')).toBe(2);
    await container.killProgram('sleep 4102');
  });

  it('ends where its stdin has ended long before the client vanishes', async () => {
    const running = startSession(session, 'cat; echo ready; sleep 4111', { stdin: '' });
    await running.saw('ready');
    running.vanish();
    expect(await running.end).toEqual(hungUp);
    expect(await becomes('4111', 0)).toBe(true);
  });

  it('a stopped program is ended too', async () => {
    const running = startSession(session, 'echo ready; kill -STOP $$; sleep 4104');
    await running.saw('ready');
    running.vanish();
    expect(await becomes('4104', 0)).toBe(true);
  });

  it('a program that writes without end is ended too', async () => {
    const running = startSession(session, 'yes 4108', { stdout: new Writable({ write: () => {} }) });
    expect(await becomes('4108', 1)).toBe(true);
    await pause(200);
    running.vanish();
    expect(await becomes('4108', 0)).toBe(true);
  });

  it('before it began: nothing is started', async () => {
    const running = startSession(session, 'sleep 4105');
    running.vanish();
    expect(await running.end).toEqual(hungUp);
    expect(await becomes('4105', 0)).toBe(true);
  });

  it('resident-killed: the session says so, what it ran is ended, and the next session begins all the same', async () => {
    await again();
    const running = startSession(session, 'trap : HUP; echo ready; while :; do sleep 4106; done');
    await running.saw('ready');
    await signalResident('KILL');
    await expect(running.end).rejects.toThrow('ended what ran the program');
    expect((await runSession(session, 'echo still here')).stdout).toBe('still here\n');
    expect(await becomes('4106', 0)).toBe(true);
  });

  it('resident-stopped: a session that is asked for then begins by an exec', async () => {
    await again();
    await pause(300);
    await signalResident('STOP');
    const { end, stdout } = await runSession(session, `${tellParent}; echo here`);
    expect({ end, stdout }).toEqual({ end: { exitStatus: 0 }, stdout: 'here\n' });
    await signalResident('CONT');
  });

  it('closing the engine ends what they run, whatever ignores being told so', async () => {
    const closing = createTestEngine({ hangupGraceMs: 60_000 });
    const handler = await residentSession(closing, container);
    const stubborn = startSession(handler, 'trap : HUP TERM; echo ready; while :; do sleep 4107; done');
    await stubborn.saw('ready');
    const begun = Date.now();
    await closing.close();
    // 10 s are what it may take, and the grace is a minute.
    expect(Date.now() - begun).toBeLessThan(15_000);
    expect(await stubborn.end).toEqual(hungUp);
    expect(await becomes('4107', 0)).toBe(true);
  });

  it('users-changed: whoever was put into a group is in it at the next session', async () => {
    const other = createTestEngine();
    const handler = await residentSession(other, container, 'app');
    await container.sh('groupadd -g 4321 fresh && usermod -aG fresh app');
    expect((await runSession(handler, 'id -G')).stdout).toContain('4321');
    await other.close();
  });
});

describe('in an image without a shell', () => {
  let container: TestContainer;
  let engine: ContainerEngine;
  let session: SessionHandler;
  beforeAll(async () => {
    container = await runContainer(images.noshell, [], ['/bin/sleep', '100000']);
    engine = createTestEngine({ hangupGraceMs: 300 });
    session = engine.openSession(await authorizationFor(engine, container.id));
  });
  afterAll(async () => {
    await engine.close();
    await container.remove();
  });

  it('the first session already begins through one', async () => {
    const { end, stdout } = await runSession(session, '/bin/cat /proc/self/stat');
    expect(end).toEqual({ exitStatus: 0 });
    expect(stdout.split(' ')[3]).not.toBe('0');
  });

  it('signals reach the program', async () => {
    const running = startSession(session, 'cat', {});
    running.stdin.write('ready');
    await running.saw('ready');
    running.signal('TERM');
    expect(await running.end).toEqual({ exitStatus: 143 });
  });

  it('a client that vanishes leaves nothing behind', async () => {
    const running = startSession(session, 'sleep 4201');
    expect(await until(async () => (await countProcesses(container.id, '4201')) === 1, 20_000)).toBe(true);
    running.vanish();
    expect(await until(async () => (await countProcesses(container.id, '4201')) === 0, 20_000)).toBe(true);
  });

  it('a program that is not there is told of as a shell does', async () => {
    const { end, stderr } = await runSession(session, 'absent x');
    expect({ end, stderr }).toEqual({ end: { exitStatus: 127 }, stderr: 'absent: command not found\n' });
    expect((await runSession(session, '/proc/version')).end).toEqual({ exitStatus: 126 });
  });
});
