/** Answers to the prompt for a code that no honest client gives, or gives in that order. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { transportOf } from '../../src/ssh/ssh2-internals.ts';
import type { Store } from '../../src/store/store.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { byCode, byKey, openSiege, type Siege, unruly } from '../support/siege.ts';

let at: Siege;
beforeEach(async () => {
  at = await openSiege();
});
afterEach(() => at.door.stop());

describe('answers that were not asked for', () => {
  it.each([
    ['two for one prompt', (code: string) => [code, code]],
    ['a thousand', (code: string) => Array.from({ length: 1_000 }, () => code)],
    ['none', () => []],
  ])('%s: refused, and no code is used up by it', async (_name, answers) => {
    const code = at.factor.nextCode();
    await at.refused(
      at.login(
        await byKey(at.alice),
        byCode(() => answers(code)),
      ),
    );
    await at.loginWorks(code);
  });

  it('an answer of 30,000 digits is only a wrong code', async () => {
    const long = '1'.repeat(30_000);
    await at.refused(
      at.login(
        await byKey(at.alice),
        byCode(() => [long]),
      ),
    );
    expect((await at.door.ssh('version')).status).toBe(0);
  });

  it('a second answer to the same prompt is not read', async () => {
    const { client, ended } = at.begin([
      await byKey(at.alice),
      byCode(() => {
        unruly(client).authInfoRes(['000000']);
        return [at.factor.nextCode()];
      }),
    ]);
    expect(await ended).not.toBe('ready');
    expect(at.accepted()).toBe(at.acceptedBefore);
  });

  it('a request that takes the place of the one being checked gets the answer of its own', async () => {
    let prompts = 0;
    const { client, ended } = at.begin([
      await byKey(at.alice),
      byCode(() => {
        // The right code, and in the same breath a new request: the login of the first must not happen.
        const protocol = unruly(client);
        if (prompts++ === 0) {
          const socket = transportOf(client as unknown as Connection);
          socket.cork();
          protocol.authInfoRes([at.factor.nextCode()]);
          protocol.authKeyboard('somebody');
          socket.uncork();
        }
        return new Promise<string[]>(() => {});
      }),
    ]);
    await expect.poll(() => prompts).toBe(2);
    expect(await Promise.race([ended, sleep(2_000, 'neither')])).toBe('neither');
    client.destroy();
    expect(at.accepted()).toBe(at.acceptedBefore);
    await at.loginWorks();
  });

  it('prompts that are asked for and never answered are three at most', async () => {
    let prompts = 0;
    const { client, ended } = at.begin([
      await byKey(at.alice),
      byCode(() => {
        prompts++;
        unruly(client).authKeyboard('somebody');
        return new Promise<string[]>(() => {});
      }),
    ]);
    expect(await ended).toMatch(/^Too many authentication failures: wait for the next code/);
    expect(prompts).toBe(3);
  });
});

describe('a peer that leaves while its code is checked', () => {
  it('is not taken for a connection that is open', async () => {
    const store = createMemoryStore();
    let slow = false;
    const lagging: Store = {
      ...store,
      transact: async (work) => {
        const result = await store.transact(work);
        if (slow) await sleep(400);
        return result;
      },
    };
    await at.door.stop();
    const dataDir = await mkdtemp(join(tmpdir(), 'postern-lagging-'));
    const folders = { dataDir, hostKeysDir: join(dataDir, 'hostkeys') };
    at = await openSiege({ folders, overrides: { store: lagging } });
    const { client, ended } = at.begin([
      await byKey(at.alice),
      byCode(() => {
        slow = true;
        unruly(client).authInfoRes([at.factor.nextCode()]);
        setTimeout(() => client.destroy(), 100);
        return new Promise<string[]>(() => {});
      }),
    ]);
    expect(await ended).not.toBe('ready');
    await sleep(600);
    expect(at.accepted()).toBe(at.acceptedBefore);
  });
});

describe('no answer', () => {
  it('is cut off at LoginGraceTime', async () => {
    // The logins of the set-up have all the time they need.
    await at.door.reconfigure({ loginGraceTimeMs: 3_000 });
    const startedAt = Date.now();
    const { ended } = at.begin([await byKey(at.alice), byCode(() => new Promise<string[]>(() => {}))]);
    expect(await ended).not.toBe('ready');
    expect(Date.now() - startedAt).toBeGreaterThan(2_500);
    expect(Date.now() - startedAt).toBeLessThan(9_000);
    expect(at.door.logged().some(({ reason }) => reason === 'no login in time')).toBe(true);
  });
});
