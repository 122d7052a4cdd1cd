/** Keys that follow into real containers by themselves, and leave them again, whatever happens in between. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createContainerSshd,
  type OwnContainerSshd,
} from '../../src/container-sshd/create-container-sshd.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { randomId } from '../../src/platform/ids.ts';
import { createSlots } from '../../src/platform/slots.ts';
import type { AccountRow, KeyRow } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';
import type { JoinedEngine } from '../../src/targets/joined-engine.ts';
import { runAlone } from '../support/alone.ts';
import { createTestEngine, joinedTestEngine } from '../support/container-engine.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createEngineProxy } from '../support/engine-proxy.ts';
import { quickKey } from '../support/keys.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { putAccount, putKey } from '../support/people.ts';

runAlone('auto-sync');

const labelled = ['--label', 'rexec.sync=true', '--user', 'app'];
const keyFile = '/home/app/.ssh/authorized_keys';

describe('auto-sync', () => {
  const proxy = createEngineProxy();
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  let folder: string;
  let engine: JoinedEngine;
  let store: Store;
  let ada: AccountRow;
  let sshd: OwnContainerSshd;
  let stop: () => void;
  let containers: TestContainer[] = [];
  const volumes: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-engine-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    const path = join(folder, 'docker.sock');
    await proxy.listen(path);
    store = createMemoryStore();
    engine = joinedTestEngine(createTestEngine({ docker: `unix://${path}` }), store);
    ada = await putAccount(store, 'ada', 'admin');
    logged.length = 0;
  });
  afterEach(async () => {
    stop();
    await engine.close();
    await proxy.vanish();
    for (const container of containers) await container.remove();
    containers = [];
    for (const volume of volumes.splice(0)) await docker('volume', 'rm', '--force', volume);
  });

  const begin = (sync: 'labelled' | 'off' = 'labelled') => {
    sshd = createContainerSshd({
      engine,
      store,
      slots: createSlots(),
      clock: systemClock,
      config: { containers: 'all', sync },
    });
    stop = sshd.startAutoSync(log);
  };
  const run = async (options: readonly string[]) => {
    const container = await runContainer(images.busybox, options);
    containers.push(container);
    return container;
  };
  const addKey = (name: string, facts: Partial<KeyRow> = {}) =>
    putKey(store, ada, name, { publicKey: quickKey(), ...facts });
  const removeKey = ({ id }: KeyRow) => store.transact((transaction) => transaction.remove('keys', id));
  const read = ({ sh }: TestContainer) => sh(`cat ${keyFile} 2>/dev/null || true`);
  /** All its keys: of whom another gateway has written, where one keeps the containers of this engine in step, is told. */
  const holds = (container: TestContainer, keys: readonly string[], timeout = 40_000) =>
    expect
      .poll(
        async () =>
          [...(await read(container)).matchAll(/ssh-ed25519 \S+ (?:ada: )?(.+)/g)].map(([, name]) => name),
        {
          timeout,
          interval: 200,
        },
      )
      .toEqual(keys);
  const targetOf = async ({ id }: TestContainer) => {
    const found = (await engine.list()).find((each) => each.id === id);
    if (!found) throw new Error('the container is gone');
    return found;
  };

  it('follows keys as they come, change their name and go, into labelled containers alone', async () => {
    const [there, unasked] = [await run(labelled), await run(['--user', 'app'])];
    const one = await addKey('one');
    begin();
    await holds(there, ['one']);
    const two = await addKey('two');
    await holds(there, ['one', 'two']);
    await store.transact((transaction) => transaction.put('keys', { ...two, name: 'renamed' }));
    await holds(there, ['one', 'renamed']);
    await removeKey(one);
    await holds(there, ['renamed']);
    await store.transact((transaction) => transaction.put('accounts', { ...ada, disabled: true }));
    await holds(there, []);
    expect(await read(unasked)).toBe('');
  });

  it('a container that starts later has the keys in a moment', async () => {
    await addKey('one');
    begin();
    await expect.poll(async () => (await targetOf(await run(labelled))).state).toBe('running');
    await holds(containers.at(-1) as TestContainer, ['one']);
  });

  it('the engine goes away and comes back: what was missed is made good', async () => {
    const container = await run(labelled);
    const [one] = [await addKey('one'), await addKey('two')];
    begin();
    await holds(container, ['one', 'two']);
    await proxy.vanish();
    await expect
      .poll(() => logged.some(({ msg }) => String(msg).startsWith('no news of')), { timeout: 20_000 })
      .toBe(true);
    await removeKey(one);
    await container.sh(`rm ${keyFile}`);
    const later = await run(labelled);
    await proxy.listen(join(folder, 'docker.sock'));
    await holds(container, ['two']);
    await holds(later, ['two']);
    expect(logged.filter(({ level }) => Number(level) >= 40).length).toBeLessThan(8);
  });

  it.each(['labelled', 'off'] as const)(
    'a container that was synced by hand loses keys and gains none (%s), also after a restart of the gateway',
    async (sync) => {
      const container = await run(['--user', 'app']);
      const [one, two] = [await addKey('one'), await addKey('two')];
      begin(sync);
      expect(await sshd.sync(await targetOf(container))).toMatchObject({ synced: 2, user: 'app' });
      await addKey('three');
      await removeKey(one);
      await holds(container, ['two']);
      stop();
      await removeKey(two);
      begin(sync);
      await holds(container, []);
    },
  );

  it('removed-key-stays: one synced by hand long ago, away while keys change, loses them when it is made anew', async () => {
    const home = `postern-test-${randomId(8)}`;
    volumes.push(home);
    const options = ['--user', 'app', '--volume', `${home}:/home/app`];
    const [one, before] = [await addKey('one'), await run(options)];
    begin();
    const target = await targetOf(before);
    await sshd.sync(target);
    await holds(before, ['one']);
    await store.transact((transaction) =>
      transaction.put('syncedTargets', { id: target.key, since: '2020-01-01T00:00:00.000Z' }),
    );
    await docker('rm', '-f', before.id);
    await removeKey(one);
    await expect
      .poll(() => store.get('syncedTargets', target.key), { timeout: 20_000 })
      .toHaveProperty('goneSince');
    const anew = await run([...options, '--name', before.name]);
    await holds(anew, []);
    expect(await store.get('syncedTargets', target.key)).not.toHaveProperty('goneSince');
  });

  it('a container that refuses is tried again, and holds up no other', async () => {
    const [trapped, well] = [await run(labelled), await run(labelled)];
    await trapped.sh('mkdir /tmp/x; chown app /tmp/x; ln -s /tmp/x /home/app/.ssh');
    await addKey('one');
    begin();
    await holds(well, ['one']);
    const told = () => logged.filter(({ container }) => container === trapped.id.slice(0, 12));
    // The other may be done before this one is tried.
    await expect.poll(told, { timeout: 20_000 }).not.toEqual([]);
    expect(told()[0]).toMatchObject({ level: 40, msg: 'keys were not synced; trying again' });
    expect(await trapped.sh('ls -A /tmp/x')).toBe('');
    await trapped.sh('rm /home/app/.ssh');
    await holds(trapped, ['one']);
  });

  it('nobody waits for it: with an engine that has frozen, keys are removed at once', async () => {
    const container = await run(labelled);
    const one = await addKey('one');
    begin();
    await holds(container, ['one']);
    proxy.freeze();
    const start = performance.now();
    await removeKey(one);
    // Who asks a frozen engine waits for ten seconds and more.
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('many containers at once, a few at a time', async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => run(labelled)));
    await addKey('one');
    begin();
    for (const container of many) await holds(container, ['one']);
    const one = await addKey('two');
    await removeKey(one);
    for (const container of many) await holds(container, ['one']);
  });
});
