/** Commands that are longer than what ssh2 takes for the longest packet, and who may send such packets. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { type BareDoor, openBareDoor, written } from '../support/bare-door.ts';
import { openWireClient, readWireKey } from '../support/wire-client.ts';

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor();
  door.handler = async ({ start }, io) => {
    await written(io, start.kind === 'exec' ? hash(start.command) : '');
    return { exitStatus: 0 };
  };
});
afterAll(() => door.close());

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const command = randomBytes(60_000).toString('hex');

describe('a command of 120,000 bytes', () => {
  it.each(['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-ctr'])(
    'arrives as it is by %s, under new keys too',
    async (cipher) => {
      const args = ['-c', cipher];
      expect(await door.ssh(command, { args })).toMatchObject({ text: hash(command), stderr: '', status: 0 });
      const rekeying = [...args, '-o', 'RekeyLimit=20K', '-o', `SetEnv=LC_BIG=${'x'.repeat(30_000)}`];
      expect(await door.ssh(command, { args: rekeying })).toMatchObject({ text: hash(command), status: 0 });
    },
  );
});

describe('long-packets', () => {
  /** Whether the connection is there when the gateway has taken it. */
  const survives = async (message: Buffer, { isIn = true } = {}) => {
    const client = await openWireClient(door.port, isIn ? { key: readWireKey(door.key.file) } : {});
    const open = Buffer.concat([byte(90), string('session'), uint32(0), uint32(65_536), uint32(32_768)]);
    for (const each of isIn ? [open, message] : [message]) {
      client.send(each);
      // It waits for a moment only: a busy machine needs more.
      for (let tries = 0; tries < 50 && !(await client.taken()); tries++);
    }
    const isOpen = client.isOpen();
    client.close();
    return isOpen;
  };
  const channelRequest = (bytes: number) =>
    Buffer.concat([byte(98), uint32(0), string('no-such-request'), boolean(false), Buffer.alloc(bytes)]);
  const globalRequest = (bytes: number) =>
    Buffer.concat([byte(80), string('x'.repeat(bytes)), boolean(true)]);
  const loginRequest = (bytes: number) =>
    Buffer.concat([byte(50), string('x'.repeat(bytes)), string('ssh-connection'), string('none')]);

  it('are for requests on channels, and 256 KiB at most', async () => {
    expect(await survives(channelRequest(260_000))).toBe(true);
    expect(await survives(channelRequest(262_500))).toBe(false);
    expect(await survives(globalRequest(34_000))).toBe(true);
    expect(await survives(globalRequest(36_000))).toBe(false);
  });

  it('are nothing for strangers', async () => {
    expect(await survives(loginRequest(30_000), { isIn: false })).toBe(true);
    expect(await survives(loginRequest(36_000), { isIn: false })).toBe(false);
  });
});
