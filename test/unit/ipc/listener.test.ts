import { once } from 'node:events';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeFrame } from '../../../src/ipc/frames.ts';
import type { Peer } from '../../../src/ipc/peer.ts';
import { connectTo, listenFor, makeSocketPath, ofMethods } from './connections.ts';

async function rawTo(path: string) {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const hello = writeFrame({ id: 1, method: 'ipc.hello', params: { newest: 1, oldest: 1, who: 'raw' } });

describe('a listener', () => {
  it('lets its owner in alone, in place of a dead socket, and its end removes no successor', async () => {
    const path = await makeSocketPath();
    const dead = createServer().listen(path);
    await once(dead, 'listening');
    onTestFinished(() => void dead.close());
    const first = await listenFor(path, { name: () => 'first' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await listenFor(path, { name: () => 'second' });
    await first.close();
    expect(await (await connectTo(path)).peer.request('name')).toBe('second');
    expect(await readdir(dirname(path))).toEqual(['workers.sock']);
  });

  it('touches nothing at its path that is no socket', async () => {
    const path = await makeSocketPath();
    await writeFile(path, 'a file');
    await expect(listenFor(path, {})).rejects.toThrow('something else lies there');
  });

  it('speaks the version before its own, and says which it cannot', async () => {
    const path = await makeSocketPath();
    const spoken: number[] = [];
    await listenFor(
      path,
      {},
      {
        versions: { newest: 3, oldest: 2 },
        accept: ({ protocol }) => {
          spoken.push(protocol);
          return new Map();
        },
      },
    );
    const withVersions = (oldest: number, newest: number) =>
      connectTo(path, { versions: { oldest, newest } });
    expect((await withVersions(1, 2)).protocol).toBe(2);
    expect((await withVersions(2, 3)).protocol).toBe(3);
    expect((await withVersions(3, 4)).protocol).toBe(3);
    expect(spoken).toEqual([2, 3, 3]);
    await expect(withVersions(1, 1)).rejects.toThrow(
      'it speaks version 1 of the protocol between them, and this one speaks versions 2 to 3',
    );
    await expect(withVersions(4, 5)).rejects.toMatchObject({ code: 'process-refused' });
  });

  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['JSON that is no message', writeFrame(['a'])],
    ['an answer that nobody asked for', writeFrame({ id: 7, result: 1 })],
    ['an id that is no number', writeFrame({ id: '7', method: 'ipc.hello' })],
    ['64 KiB before a hello', Buffer.from([0, 1, 0, 1])],
    ['5 MiB after it', Buffer.concat([hello, Buffer.from([0, 80, 0, 0])])],
    ['a hello without a version', writeFrame({ id: 1, method: 'ipc.hello', params: null })],
    ['a version of the future', writeFrame({ id: 1, method: 'ipc.hello', params: { newest: 9, oldest: 8 } })],
    ['one id twice', Buffer.concat([hello, ...Array(2).fill(writeFrame({ id: 2, method: 'never' }))])],
    [
      'more requests than there may be',
      Buffer.concat([
        hello,
        ...Array.from({ length: 1_100 }, (_, id) => writeFrame({ id: id + 2, method: 'never' })),
      ]),
    ],
  ])('ends the connection of whoever sends %s, and serves the others', async (_what, bytes) => {
    const path = await makeSocketPath();
    const methods = { name: () => 'still there', never: () => new Promise(() => {}) };
    await listenFor(path, methods);
    const other = await connectTo(path);
    const socket = await rawTo(path);
    socket.resume();
    socket.write(bytes);
    await once(socket, 'close');
    expect(await other.peer.request('name')).toBe('still there');
  });

  it('answers nothing but a hello before the hello', async () => {
    const path = await makeSocketPath();
    let asked = 0;
    await listenFor(path, { secret: () => (asked += 1) });
    const socket = await rawTo(path);
    socket.write(writeFrame({ id: 1, method: 'secret' }));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toContain('no such method');
    expect(asked).toBe(0);
  });

  it('ends the connection of whoever says nothing for 5 s', async () => {
    const path = await makeSocketPath();
    await listenFor(path, {});
    const startedAtMs = performance.now();
    const socket = await rawTo(path);
    socket.resume();
    await once(socket, 'close');
    expect(performance.now() - startedAtMs).toBeGreaterThan(4_900);
  });

  it('keeps no more connections than it may', async () => {
    const path = await makeSocketPath();
    const peers: Peer[] = [];
    await listenFor(
      path,
      {},
      {
        maxPeers: 2,
        accept: (_greeting, peer) => {
          peers.push(peer);
          return ofMethods({});
        },
      },
    );
    await connectTo(path);
    await connectTo(path);
    await expect(connectTo(path)).rejects.toThrow();
    expect(peers).toHaveLength(2);
  });
});
