import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSteadyCopy } from '../../../../../../src/targets/container/sidecar/inside/copy-steadily.ts';
import { dialTcp } from '../../../../../../src/targets/container/sidecar/inside/dial.ts';

const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** What connects to `port` comes out of `accepted`. */
let server: ReturnType<typeof createServer>;
const accepted: Socket[] = [];
const opened: Socket[] = [];
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    accepted.push(socket);
    server.emit('taken');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  for (const each of [...accepted.splice(0), ...opened.splice(0)]) each.destroy();
  server.close();
});

async function dial(copy = createSteadyCopy()) {
  const taken = once(server, 'taken');
  const near = await dialTcp('127.0.0.1', (server.address() as AddressInfo).port, 20_000, copy);
  near.on('error', () => {});
  opened.push(near);
  await taken;
  return { copy, near, far: accepted.at(-1) as Socket };
}

/** From one far end to the other. */
async function copying() {
  const [from, to] = [await dial(), await dial()];
  return { ...from, to: to.near, sender: from.far, receiver: to.far };
}

it('all arrives at a reader that is slower than the sender, and the end after it', async () => {
  const { copy, near, to, sender, receiver } = await copying();
  const sent = randomBytes(24 * 1024 * 1024);
  copy.begin(near, to);
  sender.end(sent);
  await pause(100);
  expect(digest(await buffer(receiver))).toBe(digest(sent));
});

it('what was sent before anybody took it is not lost', async () => {
  const { copy, near, to, sender, receiver } = await copying();
  sender.end('hello');
  await pause(20);
  copy.begin(near, to);
  expect(String(await buffer(receiver))).toBe('hello');
});

it('two at once do not mix', async () => {
  const both = [await copying(), await copying()];
  const sent = both.map(() => randomBytes(8 * 1024 * 1024));
  for (const [index, { copy, near, to, sender }] of both.entries()) {
    copy.begin(near, to);
    sender.end(sent[index] as Buffer);
  }
  const came = await Promise.all(both.map(({ receiver }) => buffer(receiver)));
  expect(came.map(digest)).toEqual(sent.map(digest));
});

it('unread-forward: of what nobody reads, one buffer waits here', async () => {
  const { copy, near, to, sender } = await copying();
  copy.begin(near, to);
  sender.write(Buffer.alloc(64 * 1024 * 1024));
  let before = -1;
  // Not while this process just did not run.
  while (near.bytesRead !== before || to.writableLength === 0) {
    before = near.bytesRead;
    await pause(100);
  }
  expect(near.bytesRead).toBeLessThan(64 * 1024 * 1024);
  expect(to.writableLength).toBeGreaterThan(0);
  expect(to.writableLength).toBeLessThanOrEqual(64 * 1024);
});

it('a receiver that has left does not hide the end of the sender', async () => {
  const { copy, near, to, sender } = await copying();
  copy.begin(near, to);
  to.destroy();
  const ended = once(near, 'end');
  sender.end(Buffer.alloc(4 * 1024 * 1024));
  await ended;
  expect(near.readableEnded).toBe(true);
});
