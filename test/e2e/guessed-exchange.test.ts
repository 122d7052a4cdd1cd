/** A client may send the first packet of the exchange that it expects right behind its KEXINIT, RFC 4253 §7. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hybridKexName } from '../../src/ssh/hybrid-key-exchange.ts';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { type BareDoor, openBareDoor } from '../support/bare-door.ts';
import { openSocket } from '../support/raw-client.ts';

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor();
});
afterAll(() => door.close());

function packetOf(payload: Buffer): Buffer {
  const padding = 16 - ((payload.length + 5) % 8);
  return Buffer.concat([uint32(payload.length + padding + 1), byte(padding), payload, Buffer.alloc(padding)]);
}

/** With a first packet behind it. */
function kexinit(kex: string, hostKeys: string): Buffer {
  const both = ['aes128-gcm@openssh.com', 'hmac-sha2-256', 'none', ''].flatMap((list) => [list, list]);
  const names = [kex, hostKeys, ...both].map((list) => string(list));
  return packetOf(Buffer.concat([byte(20), randomBytes(16), ...names, boolean(true), uint32(0)]));
}

const { publicKey } = generateKeyPairSync('ml-kem-768' as 'x25519');
const mlkem = publicKey.export({ format: 'der', type: 'spki' }).subarray(-1184);
const curve = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
const hybridInit = packetOf(Buffer.concat([byte(30), string(Buffer.concat([mlkem, curve]))]));
const curveInit = packetOf(Buffer.concat([byte(30), string(curve)]));

const exchangeReply = 31;

/** Whether the exchange is answered while the client waits for that. */
async function isAnswered(...packets: Buffer[]): Promise<boolean> {
  const { socket, closed } = openSocket(door.port, Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), ...packets]));
  let received = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    received = Buffer.concat([received, data]);
    if (numbersOf(received).includes(exchangeReply)) socket.end();
  });
  setTimeout(() => socket.end(), 20_000).unref();
  await closed;
  return numbersOf(received).includes(exchangeReply);
}

function numbersOf(received: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = received.indexOf('\n') + 1; at > 0 && at + 6 <= received.length; ) {
    numbers.push(received[at + 5] as number);
    at += 4 + received.readUInt32BE(at);
  }
  return numbers;
}

describe('a guess', () => {
  it('is taken where it is right, for no other is sent', async () => {
    expect(await isAnswered(kexinit(hybridKexName, 'ssh-ed25519'), hybridInit)).toBe(true);
  });

  it('is passed over where the exchange, or the host key, that both like best is another', async () => {
    const wrong = kexinit('curve25519-sha256', 'ssh-ed25519');
    expect(await isAnswered(wrong, curveInit, curveInit)).toBe(true);
    const wrongHostKey = kexinit(hybridKexName, 'rsa-sha2-512,ssh-ed25519');
    expect(await isAnswered(wrongHostKey, curveInit, hybridInit)).toBe(true);
  });
});
