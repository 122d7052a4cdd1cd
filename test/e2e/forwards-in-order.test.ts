/** Global requests that come before the answers to those before them are carried out in their order, RFC 4254 §4: as by OpenSSH's sshd. */
import { readFile } from 'node:fs/promises';
import type { Client, Connection } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendPayload, takeOverConnectionProtocol } from '../../src/ssh/ssh2-internals.ts';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: TestGateway;
let container: TestContainer;
let sshd: Sshd;
beforeAll(async () => {
  [door, container] = await Promise.all([startTestGateway(), runContainer(images.busybox)]);
  sshd = await startSshd([`AuthorizedKeysFile ${door.admin.file}.pub`, 'StrictModes no']);
});
afterAll(async () => {
  await sshd.stop();
  await container.remove();
  await door.stop();
});

const listenAt = (port: number, cancel = '') =>
  Buffer.concat([
    byte(80),
    string(`${cancel}tcpip-forward`),
    boolean(true),
    string('127.0.0.1'),
    uint32(port),
  ]);
const listenAtSocket = (path: string, cancel = '') =>
  Buffer.concat([byte(80), string(`${cancel}streamlocal-forward@openssh.com`), boolean(true), string(path)]);
const cancel = 'cancel-';

/** Sends all at once; whether each was granted, when all are answered. `whenAnswered` looks while the connection is open. */
async function ask(
  where: 'sshd' | 'gateway',
  requests: readonly Buffer[],
  whenAnswered = async (_client: Client) => {},
): Promise<boolean[]> {
  const [port, username] = where === 'sshd' ? [sshd.port, 'root'] : [door.port, `rexec-${container.name}`];
  const client = await connectRaw(port, { username, privateKey: await readFile(door.admin.file) });
  const granted: boolean[] = [];
  takeOverConnectionProtocol(client as unknown as Connection, ({ 0: type, length }) => {
    // With more behind it, it is a proof of sshd's host keys, for which ssh2 may have asked.
    if ((type === 81 || type === 82) && length === 1) granted.push(type === 81);
  });
  for (const request of requests) sendPayload(client as unknown as Connection, request);
  await expect.poll(() => granted.length, { timeout: 20_000 }).toBe(requests.length);
  await whenAnswered(client);
  client.end();
  return granted;
}

/** By the kernel's table: whoever connects waits for the client, which takes none. */
async function listens(port: number): Promise<boolean> {
  const inHex = port.toString(16).toUpperCase().padStart(4, '0');
  return (await container.sh('cat /proc/net/tcp')).includes(`:${inHex} 00000000:0000 0A`);
}
const isThere = async (path: string) =>
  (await container.sh(`test -S ${path} && echo yes || echo no`)).trim() === 'yes';

describe.each(['sshd', 'gateway'] as const)('%s', (where) => {
  const first = where === 'sshd' ? 17_310 : 7_310;
  const folder = `/tmp/${process.pid}-${where}`;

  it('cancels what it has yet to say yes to', async () => {
    const requests = [listenAt(first), listenAt(first, cancel)];
    const granted = await ask(where, requests, async () => {
      if (where === 'gateway') expect(await until(async () => !(await listens(first)), 20_000)).toBe(true);
    });
    expect(granted).toEqual([true, true]);
  });

  it('cancels no more than there is: the second time there is nothing, nor before it was asked for', async () => {
    const requests = [
      listenAt(first + 1, cancel),
      listenAt(first + 1),
      listenAt(first + 2, cancel),
      listenAt(first + 1, cancel),
      listenAt(first + 1, cancel),
    ];
    expect(await ask(where, requests)).toEqual([false, true, false, true, false]);
  });

  it('listens there again, asked once more behind that', async () => {
    const requests = [listenAt(first + 3), listenAt(first + 3, cancel), listenAt(first + 3)];
    const granted = await ask(where, requests, async () => {
      if (where === 'gateway') expect(await listens(first + 3)).toBe(true);
    });
    expect(granted).toEqual([true, true, true]);
  });

  it('asked twice for one place, says yes once', async () => {
    expect(await ask(where, [listenAt(first + 4), listenAt(first + 4)])).toEqual([true, false]);
  });

  it('does the same with unix sockets', async () => {
    const [one, other] = [`${folder}-1`, `${folder}-2`];
    const requests = [
      listenAtSocket(one),
      listenAtSocket(other),
      listenAtSocket(one, cancel),
      listenAtSocket(one, cancel),
    ];
    const granted = await ask(where, requests, async () => {
      if (where === 'sshd') return;
      expect(await until(async () => !(await isThere(one)), 20_000)).toBe(true);
      expect(await isThere(other)).toBe(true);
    });
    expect(granted).toEqual([true, true, true, false]);
  });
});

describe('the places that a connection may have', () => {
  it('are given back once each: asked for and cancelled 300 times, there is room as before', async () => {
    for (let round = 0; round < 5; round++) {
      const requests = Array.from({ length: 60 }, () => [listenAt(7_350), listenAt(7_350, cancel)]).flat();
      expect(await ask('gateway', requests)).toEqual(requests.map(() => true));
    }
  });
});
