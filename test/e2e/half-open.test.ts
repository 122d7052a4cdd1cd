/** 2,000 connections of one source that never log in, renewed as they are refused, beside people who do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshTarget, ssh } from '../support/ssh-client.ts';

const attacker = '127.0.0.2';
const besiegers = 2_000;
/** Well above one a millisecond: more would measure only who has the processor. */
const renewedAfterMs = 1_000;

let folder: string;
let served: Served;
let target: SshTarget;
/** Of one that is left alone, on the same machine at the same time. */
let quiet: Served;
let quietTarget: SshTarget;
let key: KeyPair;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-half-open-'));
  key = await makeKeyPair();
  // A process of its own, with the limits that everybody has by default.
  served = await serve(folder, [`--admin-key=${key.file}.pub`, '--log-level=error']);
  target = await targetIn(folder, served.port);
  const beside = join(folder, 'quiet');
  quiet = await serve(beside, [`--admin-key=${key.file}.pub`, '--log-level=error']);
  quietTarget = await targetIn(beside, quiet.port);
});
afterAll(async () => {
  await Promise.all([stop(served), stop(quiet)]);
  await rm(folder, { recursive: true, force: true });
});

function besiege(port: number) {
  const open = new Set<Socket>();
  const counts = { begun: 0 };
  let over = false;
  const begin = () => {
    if (over) return;
    const socket = createConnection({ host: '127.0.0.1', port, localAddress: attacker });
    counts.begun++;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.once('close', () => {
      open.delete(socket);
      if (!over) setTimeout(begin, renewedAfterMs);
    });
  };
  for (let count = 0; count < besiegers; count++) begin();
  return {
    counts,
    end: () => {
      over = true;
      for (const socket of open) socket.destroy();
    },
  };
}

it('half-open-flood: logins from other addresses all succeed, within a second', async () => {
  const siege = besiege(target.port);
  try {
    await expect.poll(() => siege.counts.begun, { timeout: 20_000 }).toBeGreaterThan(besiegers * 1.5);
    const elapsedMs: number[] = [];
    const quietMs: number[] = [];
    const login = async (to: SshTarget, address: string, tookMs: number[]) => {
      const startedAt = performance.now();
      const { text } = await ssh(to, 'whoami', { key, args: ['-b', address] });
      tookMs.push(performance.now() - startedAt);
      expect(text).toContain('Account: admin');
    };
    for (let count = 0; count < 9; count++) {
      const address = `127.0.0.${3 + (count % 3)}`;
      await login(target, address, elapsedMs);
      await login(quietTarget, address, quietMs);
      await pause(50);
    }
    // On a machine that does other things besides, a single one may wait for the processor, and each for its client to start.
    const median = (of: number[]) => of.toSorted((one, other) => one - other)[4] as number;
    expect(median(elapsedMs)).toBeLessThan(Math.max(1_000, 3 * median(quietMs)));
  } finally {
    siege.end();
  }
});
