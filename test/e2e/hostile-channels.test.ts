/** Channels as no honest client uses them, and requests in every order: refused or answered, never fatal. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type Client } from 'ssh2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { type BareDoor, openBareDoor, written } from '../support/bare-door.ts';
import { connectRaw } from '../support/raw-client.ts';

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor({ maxSessionsPerConnection: 4 });
});
beforeEach(() => {
  door.handler = async () => ({ exitStatus: 0 });
});
afterAll(() => door.close());

const rawClient = async () => connectRaw(door.port, { privateKey: await readFile(door.key.file) });

/** In the place of what ssh2's client does with them. */
function confirmationsTo(client: Client, opened: { sender: number; window: number }[]): void {
  const { _handlers } = (client as unknown as { _protocol: { _handlers: Record<string, unknown> } })
    ._protocol;
  _handlers['CHANNEL_OPEN_CONFIRMATION'] = (_protocol: unknown, info: (typeof opened)[number]) =>
    opened.push(info);
}

describe('hostile channels', () => {
  it('a peer that sends past its window is disconnected', async () => {
    door.handler = async (_request, io) => {
      await new Promise((resolve) => io.closed.addEventListener('abort', resolve));
      return { exitStatus: 0 };
    };
    const client = await rawClient();
    const stream = await new Promise<{ outgoing: { window: number }; write(data: Buffer): boolean }>(
      (resolve) => client.exec('x', (_error, opened) => resolve(opened as never)),
    );
    stream.outgoing.window = 0xffffffff;
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('error', () => {});
    for (let n = 0; n < 80; n++) stream.write(Buffer.alloc(32 * 1024));
    await closed;
    expect(door.logged().some((line) => String(line['reason']).includes('data past the window'))).toBe(true);
  });

  it('data for 64 sessions that never start is not kept: none may be sent', async () => {
    const wide = await openBareDoor({ maxSessionsPerConnection: 64 });
    const client = await connectRaw(wide.port, { privateKey: await readFile(wide.key.file) });
    const opened: { sender: number; window: number }[] = [];
    confirmationsTo(client, opened);
    for (let n = 0; n < 64; n++) {
      const open = [byte(90), string('session'), uint32(n), uint32(1_000), uint32(32_768)];
      sendPayload(client as never, Buffer.concat(open));
    }
    await expect.poll(() => opened.length).toBe(64);
    expect(new Set(opened.map(({ window }) => window))).toEqual(new Set([0]));
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    for (const { sender } of opened) {
      sendPayload(client as never, Buffer.concat([byte(94), uint32(sender), string('a byte too many')]));
    }
    await closed;
    expect(wide.logged().some((line) => String(line['reason']).includes('data past the window'))).toBe(true);
    await wide.close();
  });

  it('a maximum packet size of 0 is refused instead of an endless loop', async () => {
    const client = await rawClient();
    const failed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const open = [byte(90), string('session'), uint32(99), uint32(1000), uint32(0)];
    sendPayload(client as never, Buffer.concat(open));
    await sleep(100);
    client.end();
    await failed;
    expect((await door.ssh('x')).status).toBe(0);
  });

  it('connection messages before login end the connection, unanswered', async () => {
    const client = new ssh2.Client();
    client.on('error', () => {});
    const closed = new Promise<void>((resolve) => client.on('close', () => resolve()));
    client.on('handshake', () => {
      for (let n = 0; n < 10; n++) {
        sendPayload(
          client as never,
          Buffer.concat([byte(90), string('session'), uint32(n), uint32(1_000), uint32(32_768)]),
        );
      }
    });
    client.connect({
      host: '127.0.0.1',
      port: door.port,
      username: 'x',
      authHandler: () => undefined as never,
    });
    await closed;
    expect((await door.ssh('x')).status).toBe(0);
  });

  it('a second exec on a channel is refused, and answered', async () => {
    let runs = 0;
    door.handler = async (_request, io) => {
      runs++;
      await sleep(200);
      await written(io, 'done');
      return { exitStatus: 0 };
    };
    const client = await rawClient();
    const output = await new Promise<string>((resolve) =>
      client.exec('x', (_error, stream) => {
        const { outgoing } = stream as unknown as { outgoing: { id: number } };
        const requests = { exec: string('again'), shell: Buffer.alloc(0), 'window-change': Buffer.alloc(16) };
        for (const [type, payload] of Object.entries(requests)) {
          sendPayload(
            client as never,
            Buffer.concat([byte(98), uint32(outgoing.id), string(type), boolean(false), payload]),
          );
        }
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        stream.on('close', () => resolve(text));
      }),
    );
    client.end();
    expect(output).toBe('done');
    expect(runs).toBe(1);
  });

  it('every request that wants a reply gets one, also after the start', async () => {
    const replies: number[] = [];
    door.handler = async () => {
      // It runs until they have come, or will not come.
      for (let tries = 0; replies.length < 3 && tries < 200; tries++) await sleep(50);
      return { exitStatus: 0 };
    };
    const client = await rawClient();
    await new Promise<void>((resolve) =>
      client.exec('x', (_error, stream) => {
        const channel = stream as unknown as {
          outgoing: { id: number };
          _callbacks: ((failed: boolean) => void)[];
        };
        for (const type of ['keepalive@openssh.com', 'winadj@putty.projects.tartarus.org', 'signal']) {
          channel._callbacks.push((failed) => replies.push(failed ? 0 : 1));
          const data = type === 'signal' ? string('USR1') : Buffer.alloc(0);
          sendPayload(
            client as never,
            Buffer.concat([byte(98), uint32(channel.outgoing.id), string(type), boolean(true), data]),
          );
        }
        stream.on('close', resolve).resume();
      }),
    );
    client.end();
    expect(replies).toEqual([0, 0, 1]);
  });

  it('no-more-sessions: one that is opened all the same ends the connection', {
    timeout: 10_000,
  }, async () => {
    const client = await rawClient();
    client.on('error', () => {});
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const status = await new Promise((resolve, reject) => {
      client.exec('x', (error, opened) => (error ? reject(error) : opened.once('exit', resolve)));
      // At once, as OpenSSH's client does.
      sendPayload(
        client as never,
        Buffer.concat([byte(80), string('no-more-sessions@openssh.com'), boolean(false)]),
      );
    });
    expect(status).toBe(0);
    client.exec('x', () => {});
    await closed;
    expect(JSON.stringify(door.logged())).toContain('a session after no-more-sessions');
  });

  it('more sessions than MaxSessions are refused, and the connection lives on', async () => {
    door.handler = async (_request, io) => {
      await new Promise((resolve) => io.closed.addEventListener('abort', resolve));
      return { exitStatus: 0 };
    };
    const client = await rawClient();
    const open = () =>
      new Promise<string>((resolve) => client.exec('x', (error) => resolve(error ? error.message : 'open')));
    const outcomes = await Promise.all(Array.from({ length: 6 }, open));
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(4);
    expect(outcomes.filter((outcome) => /too many sessions/.test(outcome))).toHaveLength(2);
    client.end();
  });
});
