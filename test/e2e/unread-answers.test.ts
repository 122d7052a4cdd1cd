/** Peers that ask and ask and read no answer: they are not read from either, so that what waits for them stays small. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { type BareDoor, openBareDoor } from '../support/bare-door.ts';
import { connectRaw } from '../support/raw-client.ts';

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor();
  door.handler = (_request, io) =>
    new Promise((resolve) => io.closed.addEventListener('abort', () => resolve({ exitStatus: 0 })));
});
afterAll(() => door.close());

const socketOf = (client: Client) => (client as unknown as { _sock: Socket })._sock;

/** More than the gateway may keep and all socket buffers of a loopback connection together. */
const manyRequests = 1_000_000;

/** Sends `payload` until nobody takes any more for a second; how many were sent by then. */
async function sendUntilStuck(client: Client, payload: Buffer): Promise<number> {
  const socket = socketOf(client);
  socket.pause();
  for (let sent = 0; sent < manyRequests; sent += 1_000) {
    socket.cork();
    for (let n = 0; n < 1_000; n++) sendPayload(client as never, payload);
    socket.uncork();
    for (let waits = 0; socket.writableLength > 256 * 1024; waits++) {
      if (waits === 100) return sent;
      await sleep(10);
    }
  }
  return manyRequests;
}

async function expectPaused(client: Client, payload: Buffer): Promise<void> {
  const socket = socketOf(client);
  expect(await sendUntilStuck(client, payload)).toBeLessThan(manyRequests);
  expect((await door.ssh('x', { timeoutMs: 500 })).status).not.toBe(255);
  // Once it reads, it is read from again.
  socket.resume();
  await expect.poll(() => socket.writableLength, { timeout: 20_000 }).toBe(0);
  client.end();
}

const clientOf = async () => connectRaw(door.port, { privateKey: await readFile(door.key.file) });

describe('a peer that reads no answers', () => {
  it('to global requests is not read from until it does', async () => {
    const client = await clientOf();
    await expectPaused(client, Buffer.concat([byte(80), string('x@example.com'), boolean(true)]));
  });

  it('to channel requests is not read from until it does', async () => {
    const client = await clientOf();
    const channel = await new Promise<number>((resolve, reject) =>
      client.exec('x', (error, stream) =>
        error ? reject(error) : resolve((stream as unknown as { outgoing: { id: number } }).outgoing.id),
      ),
    );
    const request = [byte(98), uint32(channel), string('x@example.com'), boolean(true)];
    await expectPaused(client, Buffer.concat(request));
  });
});
