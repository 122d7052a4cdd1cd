import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openLowdbStore } from '../../../../src/store/lowdb/open-lowdb-store.ts';
import { accountNames, makeDataDir, storeProcess } from './stores.ts';

const rounds = Number(process.env['POSTERN_KILL_ROUNDS'] ?? 5);
/** Then a new one, before the file grows so large that little happens between two kills. */
const roundsPerFolder = 10;

/** Adds accounts in a process of its own, 500 at once, and kills it `afterMs` after so many lines of it; what it acknowledged. */
async function addUntilKilled(dataDir: string, lines: number, afterMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [storeProcess, dataDir, 'add'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const closed = once(child, 'close');
  while (printed.split('\n').length <= lines) await once(child.stdout, 'data');
  await delay(afterMs);
  child.kill('SIGKILL');
  await closed;
  // A last line without its end was cut by the kill.
  const [first, ...names] = printed.split('\n').slice(0, -1);
  expect(first).toBe('open');
  return names;
}

describe('kill -9 during 500 concurrent adds', () => {
  it(`loses nothing that was acknowledged, and the file parses (${rounds} rounds)`, {
    timeout: 60_000 + rounds * 5_000,
  }, async () => {
    let dataDir = '';
    let acknowledged = new Set<string>();
    let total = 0;
    for (let round = 0; round < rounds; round++) {
      if (round % roundsPerFolder === 0) [dataDir, acknowledged] = [await makeDataDir(), new Set()];
      // On a busy machine, nothing may be acknowledged a moment after it is open.
      const lines = 1 + (round % 2);
      for (const name of await addUntilKilled(dataDir, lines, Math.random() * 250)) acknowledged.add(name);
      const store = await openLowdbStore({ dataDir });
      const present = new Set(await accountNames(store));
      await store.close();
      expect([...acknowledged].filter((name) => !present.has(name))).toEqual([]);
      total += acknowledged.size;
    }
    expect(total).toBeGreaterThan(0);
  });
});
