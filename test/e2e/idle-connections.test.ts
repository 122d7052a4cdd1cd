/** What a connection costs that is logged in and idle; bench/single/idle-connections.ts measures it with thousands. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLightClient, type LightClient } from '../support/light-client.ts';
import { type MeasuredGateway, startMeasuredGateway } from '../support/measured-gateway.ts';

const connections = 200;
/** Of JavaScript's heap and its buffers: 24.3 kB as this is written, with what it reads into; 28.5 where each keeps a part of Node's pool. */
const barBytes = 26_000;

let gateway: MeasuredGateway;
let client: LightClient;

beforeAll(async () => {
  gateway = await startMeasuredGateway('unix:///absent/docker.sock');
  const key = ssh2.utils.parseKey(await readFile(gateway.admin.file)) as ParsedKey;
  client = createLightClient(gateway.port, key.getPrivatePEM());
});
afterAll(async () => {
  await gateway.stop();
  await gateway.remove();
});

/** By eight at a time, so that no limit of those who are not logged in yet is met. */
async function logIn(count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  let left = count;
  const one = async () => {
    while (left-- > 0) sockets.push(await client.logIn());
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return sockets;
}

const heldBytes = async () => (await gateway.holdings()).heapMib * 1024 * 1024;

it('an idle connection keeps nothing of its key exchange, and no slab of the pool', async () => {
  const { descriptors } = await gateway.holdings();
  for (const socket of await logIn(100)) socket.destroy();
  await expect.poll(async () => (await gateway.holdings()).descriptors).toBeLessThanOrEqual(descriptors);
  await sleep(500);
  const before = await heldBytes();
  const sockets = await logIn(connections);
  await sleep(500);
  const each = ((await heldBytes()) - before) / connections;
  for (const socket of sockets) socket.destroy();
  expect(each).toBeGreaterThan(1_000);
  expect(each).toBeLessThan(barBytes);
});
