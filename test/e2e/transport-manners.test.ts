/** What the door offers to whom, and what it suffers while keys are exchanged. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MessageHandler } from '../../src/ssh/ssh2-shapes.ts';
import { string, WireReader } from '../../src/ssh/wire.ts';
import { type BareDoor, echo, openBareDoor } from '../support/bare-door.ts';
import { connectRaw, openSocket } from '../support/raw-client.ts';

const { kexinit } = createRequire(import.meta.url)('ssh2/lib/protocol/kex.js') as {
  kexinit(protocol: object): void;
};

const handlers = createRequire(import.meta.url)('ssh2/lib/protocol/handlers.js') as MessageHandler[];

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor();
  door.handler = echo;
});
afterAll(() => door.close());

/** The first name-lists of the KEXINIT that a client of this version line is sent, RFC 4253 §7.1. */
async function offeredTo(software: string) {
  const { socket, closed } = openSocket(door.port, `SSH-2.0-${software}\r\n`);
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  const packetIn = () => received.subarray(received.indexOf('\n') + 1);
  await expect
    .poll(() => packetIn().length > 4 && packetIn().length >= 4 + packetIn().readUInt32BE())
    .toBe(true);
  socket.destroy();
  await closed;
  const packet = packetIn();
  const reader = new WireReader(packet, 4 + 1 + 1 + 16);
  const list = () => reader.bytes().toString('latin1').split(',');
  const [kex, hostKeys, , , mac] = [list(), list(), list(), list(), list()];
  return { kex, hostKeys, mac };
}

describe('what is offered', () => {
  it('is more only to clients that have nothing better', async () => {
    const usual = await offeredTo('OpenSSH_9.2p1');
    expect(usual.mac).toEqual(['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com']);
    expect(usual.kex?.join()).not.toContain('nistp');
    const libssh2 = await offeredTo('libssh2_1.10.0');
    expect(libssh2.mac).toEqual([...(usual.mac ?? []), 'hmac-sha2-256', 'hmac-sha2-512']);
    expect(libssh2.kex).toEqual(usual.kex);
    const netSsh = await offeredTo('Ruby/Net::SSH_7.0.1 x86_64-linux-gnu');
    expect(netSsh.kex).toEqual([...(usual.kex ?? []), 'ecdh-sha2-nistp256']);
    expect(netSsh.mac).toEqual(usual.mac);
  });

  it('downgrade by name: SHA-1 is offered to nobody, and newer or made-up names get what all get', async () => {
    const usual = await offeredTo('OpenSSH_9.2p1');
    for (const software of ['libssh2_1.11.1', 'libssh2_1.100', 'x-libssh2_1.4.3', 'JSCH-0.1.54', 'Ruby']) {
      expect(await offeredTo(software)).toEqual(usual);
    }
    expect((await offeredTo('libssh2_1.4.3')).hostKeys).toEqual([
      'ssh-ed25519',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ]);
  });
});

interface Internals {
  _protocol: {
    _packetRW: {
      write: {
        allocStartKEX: number;
        alloc(length: number, isKex: true): Buffer;
        finalize(packet: Buffer, isKex: true): Buffer;
      };
    };
    _cipher: { encrypt(packet: Buffer): void };
    _decipher: { _onPayload(payload: Buffer): unknown };
  };
}

/** Past the queue in which ssh2 keeps messages while keys are exchanged. */
function sendAtOnce(client: Client, payload: Buffer): void {
  const { _packetRW, _cipher } = (client as unknown as Internals)._protocol;
  const { write } = _packetRW;
  const start = write.allocStartKEX;
  const packet = write.alloc(payload.length, true);
  packet.set(payload, start);
  _cipher.encrypt(write.finalize(packet, true));
}

describe('while keys are exchanged anew', () => {
  const message = (number: number, body: Uint8Array = Buffer.alloc(0)) =>
    Buffer.concat([Buffer.from([number]), body]);

  async function rekeyWith(...payloads: Buffer[]): Promise<string> {
    const client = await connectRaw(door.port, { privateKey: await readFile(door.key.file) });
    const ended = new Promise<string>((resolve) => client.once('close', () => resolve('disconnected')));
    const exchanged = new Promise<string>((resolve) => client.once('handshake', () => resolve('new keys')));
    kexinit((client as unknown as Internals)._protocol);
    for (const payload of payloads) sendAtOnce(client, payload);
    const outcome = await Promise.race([ended, exchanged]);
    client.end();
    return outcome;
  }
  const request = message(80, Buffer.concat([string('x@example.com'), Buffer.from([1])]));

  it('asyncssh: IGNORE, DEBUG and UNIMPLEMENTED are passed over, as RFC 4253 §7.1 allows', async () => {
    expect(await rekeyWith(message(2, string('noise')))).toBe('new keys');
    expect(await rekeyWith(message(3, Buffer.alloc(4)))).toBe('new keys');
    expect(await rekeyWith(message(4, Buffer.concat([Buffer.alloc(1), string('x'), string('')])))).toBe(
      'new keys',
    );
  });

  it('asyncssh: a message of the connection that comes late, after KEXINIT, is taken', async () => {
    expect(await rekeyWith(request)).toBe('new keys');
  });

  it('requests whose answers would pile up until the new keys end the connection', async () => {
    expect(await rekeyWith(...Array.from({ length: 17 }, () => request))).toBe('disconnected');
  });

  it('pings that come before the answer to our KEXINIT leave nothing behind: 35 kB each would pile up', async () => {
    const eager = await openBareDoor({ rekeyAfterBytes: 1024 * 1024 });
    const client = await connectRaw(eager.port, { privateKey: await readFile(eager.key.file) });
    const { _decipher } = (client as unknown as Internals)._protocol;
    const onPayload = _decipher._onPayload;
    const asked = new Promise<Buffer>((resolve) => {
      _decipher._onPayload = (payload) => {
        if (payload[0] !== 20) return onPayload(payload);
        resolve(Buffer.from(payload));
        return undefined;
      };
    });
    const large = Buffer.concat([string('x@example.com'), Buffer.alloc(30_000)]);
    for (let sent = 0; sent < 40; sent++) sendAtOnce(client, message(80, large));
    const theirs = await asked;
    const pongs: number[] = [];
    handlers[193] = (_protocol, { length }) => void pongs.push(length);
    for (let sent = 0; sent < 100; sent++) sendAtOnce(client, message(192, string(Buffer.alloc(30_000))));
    const exchanged = new Promise((resolve) => client.once('handshake', resolve));
    onPayload(theirs);
    await exchanged;
    const answered = new Promise((resolve) => client.exec('x', resolve));
    await answered;
    expect(pongs).toEqual([]);
    sendAtOnce(client, message(192, string('after')));
    await expect.poll(() => pongs).toEqual([10]);
    client.end();
    await eager.close();
  });

  it('a message of user authentication ends the connection', async () => {
    expect(await rekeyWith(message(50))).toBe('disconnected');
  });
});

describe('what is no packet', () => {
  it('is a line of the log for whoever debugs, without a stack', async () => {
    const before = door.logged().length;
    const version = Buffer.from('SSH-2.0-x\r\n');
    await openSocket(door.port, Buffer.concat([version, Buffer.alloc(64, 0xff)])).closed;
    for (const cipher of ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-ctr'] as const) {
      for (const garbage of [
        Buffer.alloc(64, 0xff),
        Buffer.concat([Buffer.from([0, 0, 0, 16]), Buffer.alloc(400)]),
      ]) {
        const privateKey = await readFile(door.key.file);
        const client = await connectRaw(door.port, { privateKey, algorithms: { cipher: [cipher] } });
        const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
        (client as unknown as { _sock: Socket })._sock.write(garbage);
        await closed;
      }
    }
    const failures = () =>
      door
        .logged()
        .slice(before)
        .filter(({ msg }) => msg === 'connection failed');
    await expect.poll(failures).toHaveLength(7);
    const failed = failures();
    for (const line of failed) expect(line).toMatchObject({ level: 20, reason: expect.any(String) });
    expect(JSON.stringify(failed)).not.toContain('stack');
  });
});
