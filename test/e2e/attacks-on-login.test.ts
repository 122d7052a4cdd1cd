/** What breaks SSH's user authentication and channels, by name: whose key it was, keys that are none, names that change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { sendForgedLogins } from '../support/forged-login.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  openWireClient,
  readWireKey,
  signedRequest,
  type WireClient,
  type WireKey,
} from '../support/wire-client.ts';

let door: TestGateway;
let admin: WireKey;
let mallory: WireKey;
beforeAll(async () => {
  door = await startTestGateway();
  admin = readWireKey(door.admin.file);
  mallory = readWireKey((await door.addMember('mallory')).file);
});
afterAll(() => door.stop());

const [failure, success, keyIsKnown] = [51, 52, 60];
const [openConfirmation, data] = [91, 94];

/** A key is shown, and nothing signed, RFC 4252 §7. */
const probe = ({ blob }: WireKey, user = 'x') =>
  Buffer.concat([
    ...[byte(50), string(user), string('ssh-connection'), string('publickey'), boolean(false)],
    ...[string('ssh-ed25519'), string(blob)],
  ]);
const open = Buffer.concat([byte(90), string('session'), uint32(0), uint32(100_000), uint32(32_768)]);
const exec = (command: string) =>
  Buffer.concat([byte(98), uint32(0), string('exec'), boolean(true), string(command)]);

interface Conversation {
  readonly client: WireClient;
  readonly numbers: () => number[];
  /** Sends it, and waits for so many messages more. */
  readonly ask: (payload: Buffer, answers?: number) => Promise<number[]>;
  readonly text: () => string;
}

async function converse(): Promise<Conversation> {
  const received: Buffer[] = [];
  const client = await openWireClient(door.port, {
    onMessage: (payload) => received.push(Buffer.from(payload)),
  });
  const numbers = () =>
    received.map(([number = 0]) => number).filter((number) => number !== 53 && number !== 7);
  return {
    client,
    numbers,
    async ask(payload, answers = 1) {
      const before = numbers().length;
      client.send(payload);
      await expect.poll(() => numbers().length).toBeGreaterThanOrEqual(before + answers);
      return numbers().slice(before);
    },
    text: () => Buffer.concat(received.filter(([number]) => number === data)).toString('latin1'),
  };
}

async function whoami({ client, numbers, text }: Conversation): Promise<string> {
  client.send(open);
  await expect.poll(() => numbers()).toContain(openConfirmation);
  client.send(exec('whoami'));
  await expect.poll(text).toContain('Account: ');
  return text();
}

const faults = () =>
  door
    .logged()
    .filter(({ level, msg }) => Number(level) >= 50 || (Number(level) >= 40 && msg === 'connection failed'));

describe('CVE-2024-45337', () => {
  it('whose key was shown, first, last or in between, is not who signs', async () => {
    for (const shown of [[admin], [admin, admin, mallory], [mallory, admin], [admin, mallory, admin]]) {
      const conversation = await converse();
      for (const key of shown) expect(await conversation.ask(probe(key))).toEqual([keyIsKnown]);
      const { sessionId } = conversation.client;
      expect(await conversation.ask(signedRequest(sessionId, 'x', mallory))).toContain(success);
      expect(await whoami(conversation)).toContain('Account: mallory');
      conversation.client.close();
    }
  });

  it("a request that shows the admin's key and is signed by one's own is refused", async () => {
    const conversation = await converse();
    const forged: WireKey = { blob: admin.blob, sign: mallory.sign };
    expect(await conversation.ask(signedRequest(conversation.client.sessionId, 'x', forged))).toEqual([
      failure,
    ]);
    conversation.client.close();
  });
});

describe('CVE-2020-9283', () => {
  const ed25519 = (point: Buffer) => Buffer.concat([string('ssh-ed25519'), string(point)]);
  const points = [0, 1, 31, 33, 64].map((length) => Buffer.alloc(length, 5));

  it('an ed25519 key of any other length than 32 bytes is refused, and throws nothing', async () => {
    for (const point of points) {
      const blob = ed25519(point);
      const request = { algorithm: 'ssh-ed25519', blob, signature: () => ed25519(Buffer.alloc(64, 1)) };
      expect(await sendForgedLogins(door.port, [request])).toEqual(['refused']);
      const answer = await door.ssh('ssh-key add', { stdin: `ssh-ed25519 ${blob.toString('base64')}\n` });
      expect([answer.status, answer.stderr]).toEqual([
        2,
        expect.stringMatching(/^postern: .*ssh-ed25519 key is broken/),
      ]);
    }
    expect(faults()).toEqual([]);
  });

  it('so is a signature of any other length than 64 bytes by a key that is sound', async () => {
    for (const length of [0, 1, 32, 63, 65, 128]) {
      const signature = () => ed25519(Buffer.alloc(length, 1));
      const request = { algorithm: 'ssh-ed25519', blob: admin.blob, signature };
      expect(await sendForgedLogins(door.port, [request])).toEqual(['refused']);
    }
    expect(faults()).toEqual([]);
  });
});

describe('the user name', () => {
  it.each([
    ['shown', (conversation: Conversation) => conversation.client.send(probe(mallory, 'root'))],
    ['signed', ({ client }: Conversation) => client.send(signedRequest(client.sessionId, 'root', mallory))],
  ])('changed between requests ends the connection, as with sshd: %s for another', async (_name, next) => {
    const conversation = await converse();
    await conversation.ask(probe(admin, 'admin'));
    next(conversation);
    await expect.poll(conversation.client.isOpen).toBe(false);
    expect(conversation.numbers()).not.toContain(success);
  });

  it('changed after it was signed: the signature does not hold', async () => {
    const conversation = await converse();
    const signed = signedRequest(conversation.client.sessionId, 'x', admin);
    const renamed = Buffer.from(signed);
    renamed.write('y', 5);
    expect(await conversation.ask(renamed)).toEqual([failure]);
    conversation.client.close();
  });

  it('a signature of another connection does not hold in this one', async () => {
    const other = await converse();
    const replayed = signedRequest(other.client.sessionId, 'x', admin);
    const conversation = await converse();
    expect(await conversation.ask(replayed)).toEqual([failure]);
    for (const { client } of [other, conversation]) client.close();
  });
});

describe('out of their time', () => {
  it('channels and requests before the login end the connection, and open nothing', async () => {
    for (const early of [
      open,
      exec('whoami'),
      Buffer.concat([byte(80), string('tcpip-forward'), boolean(true)]),
    ]) {
      const conversation = await converse();
      conversation.client.send(early);
      await expect.poll(conversation.client.isOpen).toBe(false);
      expect(conversation.numbers()).toEqual([]);
    }
    expect(faults()).toEqual([]);
  });

  it('login requests after the login are passed over (RFC 4252 §5.1): one becomes nobody else', async () => {
    const conversation = await converse();
    const { sessionId } = conversation.client;
    await conversation.ask(signedRequest(sessionId, 'x', mallory));
    const before = conversation.numbers().length;
    for (const late of [signedRequest(sessionId, 'x', admin), probe(admin)]) conversation.client.send(late);
    expect(await conversation.client.taken(10_000)).toBe(true);
    expect(
      conversation
        .numbers()
        .slice(before)
        .filter((number) => number >= 50 && number < 80),
    ).toEqual([]);
    expect(await whoami(conversation)).toContain('Account: mallory');
    conversation.client.close();
  });
});

describe('a window', () => {
  it('past 2^32 - 1 bytes ends the connection (RFC 4254 §5.2)', async () => {
    const client = await openWireClient(door.port, { key: mallory });
    client.send(open);
    await expect.poll(() => client.channels.length).toBe(1);
    client.send(Buffer.concat([byte(93), uint32(0), uint32(0xffff_ffff)]));
    await expect.poll(client.isOpen).toBe(false);
    expect(faults()).toEqual([]);
  });
});
