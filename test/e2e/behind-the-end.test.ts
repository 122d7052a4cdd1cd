/** What a peer sends behind the end of a connection, in the same piece of data: nothing of it is done, RFC 4253 §11.1. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { type BareDoor, openBareDoor } from '../support/bare-door.ts';
import { openWireClient, readWireKey } from '../support/wire-client.ts';

let door: BareDoor;
let started: string[] = [];
beforeAll(async () => {
  door = await openBareDoor();
  door.handler = async ({ start }) => {
    started.push(start.kind === 'exec' ? start.command : start.kind);
    return { exitStatus: 0 };
  };
});
afterAll(() => door.close());

/** A session that has not started. */
async function openSession() {
  started = [];
  const client = await openWireClient(door.port, { key: readWireKey(door.key.file) });
  client.send(Buffer.concat([byte(90), string('session'), uint32(0), uint32(1_000), uint32(32_768)]));
  await expect.poll(() => client.channels).toHaveLength(1);
  const channel = uint32(client.channels[0] as number);
  const exec = Buffer.concat([byte(98), channel, string('exec'), boolean(false), string('x')]);
  return { client, channel, exec };
}

it('a program that is asked for behind what breaks the protocol is not started', async () => {
  const { client, channel, exec } = await openSession();
  const pastWindow = Buffer.concat([byte(94), channel, string('data')]);
  client.sendTogether([pastWindow, exec]);
  await expect.poll(() => client.isOpen()).toBe(false);
  expect(started).toEqual([]);
});

it('one that breaks it a thousand times is told so once, and logged once', async () => {
  const { client, channel } = await openSession();
  const before = door.logged().length;
  client.sendTogether(
    Array.from({ length: 1_000 }, () => Buffer.concat([byte(94), channel, string('data')])),
  );
  await expect.poll(() => client.isOpen()).toBe(false);
  const failures = door
    .logged()
    .slice(before)
    .filter(({ msg }) => msg === 'connection failed');
  expect(failures).toHaveLength(1);
});

it.each([2, 11])(
  'a program that is asked for behind a goodbye (%i) is not started, nor waited for',
  async (reason) => {
    const { client, exec } = await openSession();
    client.sendTogether([Buffer.concat([byte(1), uint32(reason), string('bye'), string('')]), exec]);
    await expect.poll(() => client.isOpen()).toBe(false);
    expect(started).toEqual([]);
  },
);
