/** What programs in a container can do to a spare there, and what becomes of spares that nobody needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionHandler } from '../../src/sessions/session.ts';
import { createEngineApi } from '../../src/targets/container/engine-api.ts';
import { openSpare } from '../../src/targets/container/spares/open-spare.ts';
import { encodeOrder, goAhead, spareArgv } from '../../src/targets/container/spares/spare-script.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { until } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { authorizationFor, runSession, terminal } from '../support/session-io.ts';
import { countSpares, findSpare, spareWaits } from '../support/spares.ts';

const program = new URL('../support/spare-of-a-killed-gateway.ts', import.meta.url).pathname;
const pty = terminal();
const here = { end: { exitStatus: 0 }, stdout: 'here\r\n', stderr: '' };

describe('a spare', () => {
  let container: TestContainer;
  let engine: ContainerEngine;
  let session: SessionHandler;
  const noneWithin = (ms: number) => until(async () => (await countSpares(container)) === 0, ms);
  const sayHere = () => runSession(session, 'echo here', { pty });
  const spared = async () => {
    await spareWaits(session, container);
    return findSpare(container);
  };
  beforeAll(async () => {
    container = await runContainer(images.debian);
    engine = createTestEngine();
    session = engine.openSession(await authorizationFor(engine, container.id));
  });
  afterAll(async () => {
    await engine.close();
    await container.remove();
  });

  it('is in no container where nobody has opened a terminal, and in none where the operator wants none', async () => {
    await runSession(session, 'true');
    const without = createTestEngine({ prepares: false });
    await runSession(without.openSession(await authorizationFor(without, container.id)), 'true', { pty });
    await pause(500);
    expect(await countSpares(container)).toBe(0);
    await without.close();
  });

  it('terminal-written-to: it serves nobody, and the session that would have had it is a whole one', async () => {
    const spare = await spared();
    await container.sh(`printf 'postern-forged 7\\n' >${spare.terminal}`);
    const { end, stdout } = await runSession(session, 'echo here; tty', { pty });
    expect(end).toEqual(here.end);
    expect(stdout).toMatch(/^here\r\n\/dev\/pts\/\d+\r\n$/);
    expect(
      await until(async () => !(await container.sh('ls /proc')).split('\n').includes(spare.pid), 15_000),
    ).toBe(true);
  });

  it('terminal-read: an order that somebody else reads is carried out by nobody', async () => {
    const spare = await spared();
    await docker('exec', '-d', container.id, 'sh', '-c', `cat <${spare.terminal} >/tmp/stolen`);
    await pause(200);
    const { end, stdout } = await runSession(session, 'echo here; echo ran >>/tmp/ran', { pty });
    expect({ end, stdout }).toEqual({ end: here.end, stdout: here.stdout });
    await container.killProgram('cat');
    expect(await container.sh('cat /tmp/ran')).toBe('ran');
  });

  it('terminal-changed: modes that somebody else has set are not the ones of the session', async () => {
    const spare = await spared();
    await container.sh(`stty -F ${spare.terminal} sane`);
    const { stdout } = await runSession(session, 'stty -a; echo here', { pty });
    expect(stdout).toMatch(/ echo .*here\r\n$/s);
    expect(stdout).not.toContain('SSH_CONNECTION');
  });

  it('another-user: cannot open its terminal', async () => {
    const triedAndUsed = async () => {
      const spare = await spared();
      const script = `(echo x >${spare.terminal}) 2>/dev/null; (head -c 1 <${spare.terminal}) 2>/dev/null; echo tried`;
      expect(await docker('exec', '-u', 'app', container.id, 'sh', '-c', script)).toBe('tried');
      return (await runSession(session, 'echo $$', { pty })).stdout === `${spare.pid}\r\n`;
    };
    // One that does not answer within a second is left, as happens on a busy machine; a spoiled one is left each time.
    await expect.poll(triedAndUsed, { timeout: 60_000 }).toBe(true);
  });

  it('spare-killed, spare-stopped: the next session begins all the same', async () => {
    const killed = await spared();
    await container.sh(`kill -KILL ${killed.pid}`);
    expect(await sayHere()).toEqual(here);
    const stopped = await spared();
    await container.sh(`kill -STOP ${stopped.pid}`);
    expect(await sayHere()).toEqual(here);
    // What it was told waits for it; it is not told to go ahead.
    await container.sh(`kill -CONT ${stopped.pid}`);
    expect((await sayHere()).stdout).toBe('here\r\n');
  });

  it('users-changed: whoever was put into a group is in it at the next session', async () => {
    const apps = engine.openSession(await authorizationFor(engine, container.id, 'app'));
    await runSession(apps, 'true', { pty });
    await pause(500);
    await container.sh('groupadd -g 4321 fresh && usermod -aG fresh app');
    expect((await runSession(apps, 'id -G', { pty })).stdout).toContain('4321');
  });

  it('idle: it ends when nobody has opened a terminal for a while, and when the engine is closed', async () => {
    await engine.close();
    expect(await noneWithin(3_000)).toBe(true);
    const short = createTestEngine({ residentIdleMs: 4_000 });
    const brief = short.openSession(await authorizationFor(short, container.id));
    await spareWaits(brief, container);
    expect(await noneWithin(20_000)).toBe(true);
    await short.close();
    engine = createTestEngine();
    session = engine.openSession(await authorizationFor(engine, container.id));
  });

  it('restarted: the next session is one of the container as it is now', async () => {
    await spared();
    await docker('restart', '-t', '0', container.id);
    expect(await sayHere()).toEqual(here);
  });

  it('gateway-killed: it ends by itself', async () => {
    await engine.close();
    const gateway = spawn(process.execPath, [program, container.id], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(gateway.stdout, 'data');
    expect(await until(async () => (await countSpares(container)) === 1, 20_000)).toBe(true);
    gateway.kill('SIGKILL');
    expect(await noneWithin(20_000)).toBe(true);
  });
});

describe('an order', () => {
  const engine = createEngineApi({ kind: 'environment' });
  let container: TestContainer;
  beforeAll(async () => {
    container = await runContainer(images.users);
  });
  afterAll(async () => {
    await container.remove();
    engine.close();
  });
  const place = () => ({ containerId: container.id, engineUser: undefined, shell: '/bin/sh' });

  it('message-cut-off: whatever is missing of it, nothing is run and the spare ends', async () => {
    const order = encodeOrder('marker', ['LANG=a\nb'], ['/bin/touch', '/tmp/ran']) as Buffer;
    const whole = Buffer.concat([order, Buffer.from(goAhead)]);
    const lengths = [1, 4, 5, 12, 18, 22, order.length - 9, order.length - 1, order.length, whole.length - 1];
    const start = async (sent: Buffer) => {
      const execId = await engine.createExec(container.id, {
        argv: spareArgv('/bin/sh', 'marker'),
        user: undefined,
        tty: true,
        stdin: true,
        workingDir: '/',
      });
      const stream = await engine.startExec(execId, true);
      await once(stream, 'data');
      stream.resume().write(sent);
      await once(stream, 'end');
    };
    await Promise.all(lengths.map((length) => start(whole.subarray(0, length))));
    expect(await container.sh('ls /tmp')).not.toContain('ran');
    await start(whole);
    expect(await container.sh('ls /tmp')).toContain('ran');
  });

  it('hostile-values: newlines, quotes and expansions in values and arguments are only that', async () => {
    const hostile = `a\n\n'"\`touch /tmp/owned\`$(touch /tmp/owned)\n; touch /tmp/owned\n0 0\ngo\n`;
    const spare = await openSpare(engine, place());
    const begun = await spare.become(
      [`LANG=${hostile}`, 'LC_X=-n'],
      ['/bin/sh', '-c', 'printf "%s|" "$LANG" "$LC_X" "$@" "${PWD-}"; stty', 'sh', hostile, '', '-e', '*'],
    );
    const chunks: Buffer[] = [];
    begun?.stream.on('data', (chunk) => chunks.push(chunk)).resume();
    await once(begun!.stream, 'end');
    const text = Buffer.concat(chunks).toString().replaceAll('\r\n', '\n');
    expect(text).toContain(`${hostile}|-n|${hostile}||-e|*|/|`);
    expect(await container.sh('ls /tmp')).not.toContain('owned');
  });

  it.each([
    ['a NUL', ['LANG=a\0b'], ['x']],
    ['a name that a loader or a shell listens to', ['LD_PRELOAD=x'], ['x']],
    ['a name that is none', ['LANG$(id)=x'], ['x']],
    ['more than a terminal takes quickly', [], ['x'.repeat(9_000)]],
  ])('with %s is not given', (_what, env, argv) => {
    expect(encodeOrder('marker', env, argv)).toBeUndefined();
  });
});
