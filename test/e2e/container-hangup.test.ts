/** Signals, and what becomes of a program whose client is gone. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionHandler } from '../../src/sessions/session.ts';
import { parseEngineAddress } from '../../src/targets/container/engine-address.ts';
import { createEngineApi } from '../../src/targets/container/engine-api.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { authorizationFor, runSession, startSession, terminal } from '../support/session-io.ts';

const hungUp = { exitSignal: 'HUP', message: 'the client went away' };

describe.each([
  ['busybox, each by an exec', images.users, { prepares: false }],
  ['Debian, as it comes', images.debian, {}],
])('in %s', (_name, image, options) => {
  let engine: ContainerEngine;
  let container: TestContainer;
  let session: SessionHandler;
  let sessionAsUser: SessionHandler;

  /** How many live processes (no zombies) were started with that word in their arguments. */
  const count = async (word: string): Promise<number> => {
    const listed = await container.sh(
      `for p in /proc/[0-9]*; do case "$(cat $p/stat 2>/dev/null)" in *') Z '*) continue ;; esac; ` +
        `tr '\\0' ' ' <$p/cmdline 2>/dev/null; echo; done`,
    );
    return listed.split('\n').filter((line) => line.startsWith('sleep ') && line.includes(word)).length;
  };
  const becomes = async (word: string, expected: number, withinMs = 20_000) => {
    const until = Date.now() + withinMs;
    let found = await count(word);
    while (found !== expected && Date.now() < until) {
      await pause(200);
      found = await count(word);
    }
    expect(found).toBe(expected);
  };

  beforeAll(async () => {
    engine = createTestEngine({ hangupGraceMs: 1_000, ...options });
    container = await runContainer(image);
    await container.sh('id alice 2>/dev/null || useradd -m alice');
    session = engine.openSession(await authorizationFor(engine, container.id));
    sessionAsUser = engine.openSession(await authorizationFor(engine, container.id, 'alice'));
  });
  afterAll(async () => {
    await engine.close();
    await container.remove();
  });

  describe('signals', () => {
    it.each([
      ['TERM', 143],
      ['INT', 130],
      ['HUP', 129],
      ['KILL', 137],
      ['USR1', 138],
      ['BREAK', 130],
    ])('%s reaches the program', async (name, exitStatus) => {
      const running = startSession(sessionAsUser, 'echo ready; exec sleep 300');
      await running.saw('ready');
      running.signal(name);
      expect(await running.end).toEqual({ exitStatus });
    });

    it('signal-reaches-group: and its children', async () => {
      const running = startSession(
        session,
        `trap 'echo caught' USR2; echo ready; sleep 3101; echo over; exit 3`,
      );
      await running.saw('ready');
      await becomes('3101', 1);
      running.signal('USR2');
      await running.saw('over');
      expect(await running.end).toEqual({ exitStatus: 3 });
      expect(running.stdout().toString()).toBe('ready\ncaught\nover\n');
    });

    it('with a terminal it reaches the foreground, not the shell', async () => {
      const running = startSession(session, { kind: 'shell' }, { pty: terminal() });
      running.stdin.write('sleep 3102; echo "was $?"\n');
      await becomes('3102', 1);
      running.signal('INT');
      running.stdin.write('echo "still $((1 + 1))"; exit 4\n');
      await running.saw('still 2');
      expect(await running.end).toEqual({ exitStatus: 4 });
    });

    it('what is no signal is dropped: names, options, numbers, other processes', async () => {
      const running = startSession(session, 'echo ready; cat');
      await running.saw('ready');
      for (const name of ['', 'NOPE', '9', '-9 -1', 'KILL; kill 1', '$(id)', 'toString', '__proto__']) {
        running.signal(name);
      }
      running.stdin.end('end');
      expect(await running.end).toEqual({ exitStatus: 0 });
      expect(running.stdout().toString()).toBe('ready\nend');
    });
  });

  describe('the client vanishes', () => {
    // Where nothing else is started: Docker 20.10 waits for ever, holding its lock, for an exec that was starting when the container was paused.
    if ('prepares' in options) {
      it('paused-meanwhile: a client that leaves while the container is paused leaves nothing there', async () => {
        const running = startSession(session, 'sleep 3150', { pty: terminal() });
        await becomes('3150', 1);
        await docker('pause', container.id);
        running.vanish();
        expect(await running.end).toMatchObject(hungUp);
        await pause(300);
        await docker('unpause', container.id);
        await becomes('3150', 0);
      });
    }

    it('sleep ends, and the session is told as hung up', async () => {
      const running = startSession(session, 'echo ready; sleep 3201; echo never');
      await running.saw('ready');
      running.vanish();
      expect(await running.end).toEqual(hungUp);
      await becomes('3201', 0);
    });

    it('as another user than root too', async () => {
      const running = startSession(sessionAsUser, 'echo ready; sleep 3202 & sleep 3202');
      await running.saw('ready');
      running.vanish();
      await becomes('3202', 0);
    });

    it('jobs of an interactive shell end with it, in whatever group', async () => {
      const running = startSession(session, { kind: 'shell' }, { pty: terminal() });
      running.stdin.write('sleep 3203 & sleep 3203 & (sleep 3203 | sleep 3203) & sleep 3203\n');
      await becomes('3203', 5);
      running.vanish();
      await becomes('3203', 0);
    });

    it('a stopped job ends too', async () => {
      const running = startSession(session, 'sleep 3204 & kill -STOP $!; echo ready; wait');
      await running.saw('ready');
      running.vanish();
      await becomes('3204', 0);
    });

    it('what catches HUP gets TERM, and what catches that is killed', async () => {
      const running = startSession(session, `trap : HUP TERM; echo ready; while :; do sleep 3205; done`);
      await running.saw('ready');
      await becomes('3205', 1);
      running.vanish();
      await pause(4_500);
      await becomes('3205', 0);
    });

    it('a shell that waits for a child hears it before the child ends', async () => {
      // A child whose pid has more digits comes before its parent in a list of names; where little has run, it soon has.
      const fresh = await runContainer(image);
      const freshSession = engine.openSession(await authorizationFor(engine, fresh.id));
      const child = 'until [ ${#last} -gt ${#own} ]; do sh -c : & last=$!; wait $last; done; sleep 3213 &';
      const command = `own=$$; last=; trap 'echo told >/tmp/told' HUP; ${child} echo ready; wait`;
      const running = startSession(freshSession, command);
      await running.saw('ready');
      running.vanish();
      await expect.poll(() => fresh.sh('cat /tmp/told 2>/dev/null || :')).toBe('told');
      await fresh.remove();
    });

    it('nohup-survives: what ignores HUP lives on', async () => {
      const running = startSession(
        session,
        `(command -v nohup >/dev/null || trap '' HUP; exec $(command -v nohup) sleep 3206) & echo ready; sleep 3207`,
      );
      await running.saw('ready');
      await becomes('3206', 1);
      running.vanish();
      await becomes('3207', 0);
      await pause(4_500);
      await becomes('3206', 1);
      await container.killProgram('sleep 3206');
    });

    it('setsid-survives: what left the session lives on', async () => {
      const running = startSession(session, 'setsid sleep 3208 & echo ready; sleep 3209');
      await running.saw('ready');
      await becomes('3208', 1);
      running.vanish();
      await becomes('3209', 0);
      await pause(4_500);
      await becomes('3208', 1);
      await container.killProgram('sleep 3208');
    });

    it('a process name made to deceive (parentheses, newlines) does not save it', async () => {
      const script = `printf '%s' 'x) S 1 1 1 0
y) Z 1 1 1 0 -1' >/proc/$$/comm; echo ready; while :; do sleep 3210; done`;
      const running = startSession(session, script);
      await running.saw('ready');
      running.vanish();
      await becomes('3210', 0);
    });

    it('client-killed-no-orphan: a hundred times, at any moment of the start, and none is left', async () => {
      const rounds = Array.from({ length: 100 }, async (_, round) => {
        await pause(round * 50);
        const running = startSession(session, 'sleep 3211');
        await pause((round % 25) * 10);
        running.vanish();
        expect(await running.end).toEqual(hungUp);
      });
      await Promise.all(rounds);
      await becomes('3211', 0, 40_000);
      await pause(1_000);
      await becomes('3211', 0);
    });

    it('it is ended also when the engine can start nothing in the container at that moment', async () => {
      const running = startSession(session, 'echo ready; exec sleep 3215');
      await running.saw('ready');
      const shell = await container.sh('readlink -f /bin/sh');
      const mv = image === images.debian ? ['mv'] : [`${shell}2`, 'mv'];
      await container.sh(`mv ${shell} ${shell}2`);
      running.vanish();
      expect(await running.end).toEqual(hungUp);
      await pause(1_000);
      await docker('exec', container.id, ...mv, `${shell}2`, shell);
      await becomes('3215', 0);
    });

    it("an exec that has not begun does not count as ended: its orphan would be nobody's", async () => {
      const api = createEngineApi(parseEngineAddress(undefined, process.env['DOCKER_HOST']));
      const execId = await api.createExec(container.id, {
        argv: ['true'],
        user: undefined,
        tty: false,
        stdin: false,
        workingDir: '/',
      });
      expect(await api.findExitStatus(execId)).toBe(undefined);
      (await api.startExec(execId, false)).resume();
      await expect.poll(() => api.findExitStatus(execId)).toBe(0);
    });

    it('before it began: nothing is started', async () => {
      const running = startSession(session, 'sleep 3212');
      running.vanish();
      expect(await running.end).toEqual(hungUp);
      expect(await count('3212')).toBe(0);
    });
  });

  it('closing the engine ends every session and what ignores being told so', async () => {
    const closing = createTestEngine({ hangupGraceMs: 60_000 });
    const handler = closing.openSession(await authorizationFor(closing, container.id));
    const plain = startSession(handler, 'echo ready; sleep 3213');
    const stubborn = startSession(handler, `trap : HUP TERM; echo ready; while :; do sleep 3213; done`);
    await Promise.all([plain.saw('ready'), stubborn.saw('ready')]);
    const started = Date.now();
    await closing.close();
    // 10 s are what it may take, and the grace is a minute.
    expect(Date.now() - started).toBeLessThan(15_000);
    expect([await plain.end, await stubborn.end]).toEqual([hungUp, hungUp]);
    await becomes('3213', 0);
  });

  it('a program that ended by itself leaves its background jobs alone, as sshd does', async () => {
    expect((await runSession(session, 'sleep 3214 >/dev/null 2>&1 & exit 0')).end).toEqual({ exitStatus: 0 });
    await pause(2_000);
    await becomes('3214', 1);
    await container.killProgram('sleep 3214');
  });
});
