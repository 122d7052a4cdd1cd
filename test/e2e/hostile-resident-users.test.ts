/** What anybody who runs programs as a resident's user can do to it, and what is left of it then. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askResident } from '../../src/targets/container/resident/ask-resident.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from '../support/container-engine.ts';
import { countProcesses, until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createTestResidents, residentSession, tellParent } from '../support/residents.ts';
import { authorizationFor, runSession, startSession } from '../support/session-io.ts';

describe('whoever shares a user with a resident', () => {
  let container: TestContainer;
  let engine: ContainerEngine;
  beforeAll(async () => {
    container = await runContainer(images.debian);
    engine = createTestEngine();
  });
  afterAll(async () => {
    await engine.close();
    await container.remove();
  });
  const signalShell = (signal: string) =>
    container.sh(`for each in /proc/[0-9]*; do case "$(tr '\\0' ' ' <$each/cmdline 2>/dev/null)" in
      '/bin/sh -s ') kill -${signal} "\${each#/proc/}" ;; esac; done`);
  const residents = () => countProcesses(container.id, 'resident.');

  it('stopped-pipe-maker: sessions go on by execs, and none is lost', async () => {
    const session = await residentSession(engine, container);
    await signalShell('STOP');
    const running = Array.from({ length: 12 }, () => runSession(session, 'echo here'));
    for (const { end, stdout } of await Promise.all(running))
      expect([end, stdout]).toEqual([{ exitStatus: 0 }, 'here\n']);
    expect((await runSession(session, tellParent)).stdout).toBe('');
  });

  it('killed-pipe-maker: no session leaves another resident behind', async () => {
    const session = await residentSession(engine, container, '1000');
    const before = await residents();
    for (let round = 0; round < 6; round++) {
      await signalShell('KILL');
      expect((await runSession(session, 'echo here')).stdout).toBe('here\n');
      await pause(300);
    }
    // The last one that was killed may not have gone yet, nor the next one come.
    expect(await until(async () => (await residents()) === before, 20_000)).toBe(true);
  });

  it('users-changed: residents that are of no use any more go away', async () => {
    const session = await residentSession(engine, container, 'app');
    const before = await residents();
    for (let round = 0; round < 2; round++) {
      await container.sh('echo >>/etc/group');
      await runSession(session, 'true');
      await residentSession(engine, container, 'app');
    }
    expect(await until(async () => (await residents()) <= before, 20_000)).toBe(true);
  });

  it('ended-while-chosen: nothing of a session begins that was ended before it began', async () => {
    const session = await residentSession(engine, container, 'app');
    const running = startSession(session, 'echo ran >>/tmp/ended-while-chosen');
    running.vanish();
    await running.end;
    await pause(500);
    expect(await container.sh('cat /tmp/ended-while-chosen 2>/dev/null || echo nothing')).toBe('nothing');
  });

  it('left-group: whoever was taken out of a group reaches no socket of it any more, nor its files', async () => {
    const { open, residents, facts, close } = createTestResidents();
    const authorization = await authorizationFor(engine, container.id, 'app');
    const known = await facts.getFacts(container.id, '');
    const as = { facts: known, user: await known.getUser('app') };
    const first = await open(container.id, 'app');
    for (const path of [
      '/unix?path=/absent',
      '/sftp?home=/',
      '/listen-unix?path=/tmp/left',
      '/agent?name=abcdefghij',
    ]) {
      await container.sh('echo >>/etc/group');
      await expect(first.ask(path)).rejects.toMatchObject({ code: 'ESTALE' });
    }
    const { resident, stream } = await askResident(residents, authorization, as, { path: '/sftp?home=/' });
    expect(resident).not.toBe(first);
    stream.destroy();
    await close();
  });

  it('cut-off-streams: 1,500 of them in a moment end nothing else that runs through the same resident', async () => {
    const { open, residents, facts, close } = createTestResidents();
    const authorization = await authorizationFor(engine, container.id, 'app');
    const known = await facts.getFacts(container.id, '');
    const as = { facts: known, user: await known.getUser('app') };
    const first = await open(container.id, 'app');
    const bystander = await first.ask('/sftp?home=/');
    for (let done = 0; done < 1_500; done += 50) {
      const ask = () => askResident(residents, authorization, as, { path: '/sftp?home=/' });
      for (const { cancel } of await Promise.all(Array.from({ length: 50 }, ask))) cancel();
    }
    expect([first.isOpen, bystander.stream.destroyed]).toEqual([true, false]);
    await close();
  });
});
