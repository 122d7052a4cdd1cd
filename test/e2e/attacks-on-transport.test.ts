/** What breaks SSH's transport, by name: Terrapin, odd packet sizes, compression, messages after the end. */
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boolean, byte, string, uint32, WireReader } from '../../src/ssh/wire.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { openSocket } from '../support/raw-client.ts';
import { openWireClient, readWireKey } from '../support/wire-client.ts';

let door: TestGateway;
beforeAll(async () => {
  door = await startTestGateway();
});
afterAll(() => door.stop());

const version = Buffer.from('SSH-2.0-Attacker\r\n');

/** RFC 4253 §6, before there are keys. */
function packetOf(payload: Buffer, padding = 16 - ((payload.length + 5) % 8)): Buffer {
  return Buffer.concat([uint32(payload.length + padding + 1), byte(padding), payload, Buffer.alloc(padding)]);
}

function kexinit(kex: string, compression = 'none'): Buffer {
  const lists = [
    kex,
    'ssh-ed25519',
    ...twice('aes128-gcm@openssh.com'),
    ...twice('hmac-sha2-256'),
    ...twice(compression),
  ];
  const names = [...lists, '', ''].map((list) => string(list));
  return Buffer.concat([byte(20), Buffer.alloc(16, 7), ...names, boolean(false), uint32(0)]);
}
const twice = (list: string) => [list, list];
const strict = 'curve25519-sha256,kex-strict-c-v00@openssh.com';
const exchangeInit = Buffer.concat([byte(30), string(Buffer.alloc(32, 9))]);
const exchangeReply = 31;

/** The numbers of the messages that came in the clear. */
function messagesIn(received: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = received.indexOf('\n') + 1; at > 0 && at + 6 <= received.length; ) {
    numbers.push(received[at + 5] as number);
    at += 4 + received.readUInt32BE(at);
  }
  return numbers;
}

const answersTo = async (...packets: Buffer[]) =>
  messagesIn(await openSocket(door.port, Buffer.concat([version, ...packets])).closed);

/** Faults of ours that were met: none, whatever comes. */
const faults = () =>
  door
    .logged()
    .filter(({ level, msg }) => Number(level) >= 50 || (Number(level) >= 40 && msg === 'connection failed'));

describe('CVE-2023-48795 (Terrapin)', () => {
  it('strict key exchange is offered', async () => {
    const { socket, closed } = openSocket(door.port, version);
    socket.once('data', () => setTimeout(() => socket.end(), 200));
    const received = await closed;
    const reader = new WireReader(received.subarray(received.indexOf('\n') + 1), 22);
    expect(reader.text().split(',')).toContain('kex-strict-s-v00@openssh.com');
  });

  const injected: [string, Buffer][] = [
    ['IGNORE', Buffer.concat([byte(2), string('')])],
    ['DEBUG', Buffer.concat([byte(4), boolean(false), string(''), string('')])],
    ['UNIMPLEMENTED', Buffer.concat([byte(3), uint32(0)])],
  ];
  it.each(injected)('%s in the first key exchange ends it, wherever it is put', async (_name, message) => {
    const [init, exchange, extra] = [kexinit(strict), exchangeInit, message].map((each) =>
      packetOf(each),
    ) as [Buffer, Buffer, Buffer];
    // What ends it otherwise comes after the answer.
    expect(await answersTo(init, exchange, packetOf(byte(50)))).toContain(exchangeReply);
    expect(await answersTo(init, extra, exchange)).not.toContain(exchangeReply);
    expect(await answersTo(extra, init, exchange)).not.toContain(exchangeReply);
  });

  it('the sequence numbers begin anew with the keys: a client that counts on is not understood', async () => {
    const loggedIn = (isStrict: boolean) =>
      new Promise<boolean>((resolve) => {
        const client = new ssh2.Client();
        client.on('error', () => {});
        client.on('ready', () => resolve(true)).on('close', () => resolve(false));
        void readFile(door.admin.file).then((privateKey) => {
          const algorithms = { cipher: ['chacha20-poly1305@openssh.com' as const] };
          client.connect({ host: '127.0.0.1', port: door.port, username: 'x', privateKey, algorithms });
          const { _protocol } = client as unknown as { _protocol: Record<string, unknown> };
          // What ssh2 sets where both sides offer it.
          if (!isStrict) Object.defineProperty(_protocol, '_strictMode', { get: () => false, set: () => {} });
          client.on('ready', () => client.end());
        });
      });
    expect(await loggedIn(true)).toBe(true);
    expect(await loggedIn(false)).toBe(false);
  });
});

describe('packets of no size, or of too much', () => {
  const claimed = (length: number, padding: number) =>
    Buffer.concat([uint32(length), byte(padding), Buffer.alloc(2_000, 2)]);
  const cases: [string, Buffer][] = [
    ['packet_length 0', claimed(0, 4)],
    ['packet_length 1', claimed(1, 0)],
    ['packet_length 5, all of it padding', claimed(5, 4)],
    ['packet_length 35,001', claimed(35_001, 4)],
    ['packet_length 2^32 - 1', claimed(0xffff_ffff, 4)],
    ['padding longer than its packet', claimed(12, 255)],
    ['padding as long as its packet', claimed(12, 12)],
  ];
  it.each(cases)('%s ends the connection, and is no fault of ours', async (_name, packet) => {
    const { socket, closed } = openSocket(door.port, Buffer.concat([version, packet]));
    // One that waits for more of what was announced waits until the peer is gone.
    setTimeout(() => socket.end(), 500);
    expect(messagesIn(await closed)).not.toContain(exchangeReply);
    expect(faults()).toEqual([]);
    expect((await door.ssh('whoami')).status).toBe(0);
  });
});

describe('compression', () => {
  it('none is offered, and a client that wants nothing but zlib is not served', async () => {
    for (const name of ['zlib', 'zlib@openssh.com']) {
      const answers = await answersTo(packetOf(kexinit('curve25519-sha256', name)), packetOf(exchangeInit));
      expect(answers).not.toContain(exchangeReply);
    }
    const { socket, closed } = openSocket(door.port, version);
    socket.once('data', () => setTimeout(() => socket.end(), 200));
    expect((await closed).toString('latin1')).not.toContain('zlib');
  });
});

describe('behind the end of a connection', () => {
  const offerCutShort = Buffer.concat([
    byte(50),
    string('x'),
    string('ssh-connection'),
    string('publickey'),
    byte(1),
  ]);
  const open = Buffer.concat([byte(90), string('session'), uint32(0), uint32(1_000), uint32(32_768)]);
  const newKeys = byte(21);
  const many = Array.from({ length: 40 }, () => offerCutShort);
  const ciphers = ['chacha20-poly1305@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr'];
  it.each(ciphers)('freed-cipher: nothing is read on by %s, which would end the process', async (cipher) => {
    for (const messages of [[offerCutShort, open], [open, offerCutShort], [newKeys, open, open], many]) {
      const client = await openWireClient(door.port, { cipher });
      client.sendTogether(messages);
      await expect.poll(() => client.isOpen()).toBe(false);
    }
    const key = readWireKey(door.admin.file);
    for (const messages of [
      [kexinit('none'), open, open],
      [kexinit(strict), kexinit(strict), open],
    ]) {
      const client = await openWireClient(door.port, { key, cipher });
      client.sendTogether(messages);
      await expect.poll(() => client.isOpen()).toBe(false);
    }
    expect(faults()).toEqual([]);
    expect((await door.ssh('whoami')).status).toBe(0);
  });
});

describe('found by the fuzzer', () => {
  const key = () => readWireKey(door.admin.file);

  it('exchange-before-kexinit: what belongs to no key exchange ends the connection', async () => {
    expect(await answersTo(packetOf(exchangeInit))).not.toContain(exchangeReply);
    expect(await answersTo(packetOf(byte(21)))).not.toContain(exchangeReply);
    expect(faults()).toEqual([]);
  });

  it('no-exchange: a client that offers our mark of strict exchanges as one is no fault of ours', async () => {
    await answersTo(packetOf(kexinit('kex-strict-s-v00@openssh.com')), packetOf(exchangeInit));
    expect(faults()).toEqual([]);
  });

  const login = (method: string) => [byte(50), string('x'), string('ssh-connection'), string(method)];
  it.each([
    ['publickey', [boolean(false), string('ssh-ed25519'), uint32(99)]],
    ['hostbased', [string('ssh-ed25519'), uint32(99)]],
    ['hostbased', [uint32(99)]],
  ])(
    'offer-without-a-key: a login request (%s) that ends too soon ends the connection',
    async (method, rest) => {
      const client = await openWireClient(door.port);
      client.send(Buffer.concat([...login(method), ...rest]));
      await expect.poll(() => client.isOpen()).toBe(false);
      expect(faults()).toEqual([]);
    },
  );

  it.each([
    [
      'direct-tcpip',
      Buffer.concat([byte(90), string('direct-tcpip'), ...[1, 9_999, 9_999].map(uint32), uint32(50)]),
    ],
    ['tcpip-forward', Buffer.concat([byte(80), string('tcpip-forward'), boolean(true), uint32(50)])],
  ])(
    "half-a-request: a %s that ends too soon ends the connection, and is the peer's fault",
    async (_name, message) => {
      const client = await openWireClient(door.port, { key: key() });
      client.send(message);
      await expect.poll(() => client.isOpen()).toBe(false);
      expect(faults()).toEqual([]);
    },
  );

  it("odd-goodbye: a reason that there is not, over several lines, is the peer's", async () => {
    const client = await openWireClient(door.port, { key: key() });
    client.send(Buffer.concat([byte(1), uint32(16_777_216), string('I\nleave\u001b[2J'), string('')]));
    await expect.poll(() => client.isOpen()).toBe(false);
    expect(faults()).toEqual([]);
    expect(JSON.stringify(door.logged())).not.toContain('\\u001b');
  });
});
