/** RFC 4253 §11.4: whatever nobody here takes is answered by SSH_MSG_UNIMPLEMENTED with its sequence number, as by OpenSSH's sshd. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MessageHandler } from '../../src/ssh/ssh2-shapes.ts';
import { byte, string, uint32, WireReader } from '../../src/ssh/wire.ts';
import { type BareDoor, echo, openBareDoor } from '../support/bare-door.ts';
import { sendRaw, startHostileHost } from '../support/hostile-host.ts';
import { startHostsBehind } from '../support/hosts-behind.ts';
import { openWireClient, readWireKey, type WireClientOptions } from '../support/wire-client.ts';

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor();
  door.handler = echo;
});
afterAll(() => door.close());

/** SSH_MSG_UNIMPLEMENTED. */
const unimplemented = 3;
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
/** In the ranges of RFC 4250 §4.1.1: what is assigned to nothing, what only servers say, and what belongs to an exchange that is over. */
const ofNobody = [0, 6, 8, 19, 21, 22, 29, 30, 49, 51, 52, 53, 54, 60, 61, 79, 101, 127, 128, 191, 194, 255];
const inConnection = range(83, 89);

async function open(options: WireClientOptions = {}) {
  const answers: number[] = [];
  const client = await openWireClient(door.port, {
    ...options,
    onMessage: (payload) => {
      if (payload[0] === unimplemented) answers.push(payload.readUInt32BE(1));
    },
  });
  return { client, answers };
}
const openWithLogin = () => open({ key: readWireKey(door.key.file) });

/** The answers that are due. */
function sendEach(client: Awaited<ReturnType<typeof open>>['client'], types: readonly number[]): number[] {
  return types.map((type) => {
    const number = client.nextSequenceNumber();
    client.send(Buffer.concat([byte(type), string('whatever')]));
    return number;
  });
}

describe('a message that nobody takes', () => {
  it('is answered after the login, each with its number and in their order, and the connection goes on', async () => {
    const { client, answers } = await openWithLogin();
    const due = sendEach(client, [...ofNobody, ...inConnection]);
    expect(await client.taken(10_000)).toBe(true);
    expect(answers).toEqual(due);
    client.send(Buffer.concat([byte(90), string('session'), uint32(0), uint32(1_000), uint32(32_768)]));
    await expect.poll(() => client.channels).toHaveLength(1);
    client.close();
  });

  it('is answered before the login, too', async () => {
    const { client, answers } = await open();
    const due = sendEach(client, ofNobody.slice(0, 16));
    expect(await client.taken(10_000)).toBe(true);
    expect(answers).toEqual(due);
    expect(client.isOpen()).toBe(true);
    client.close();
  });

  it('is answered with the number that it has since new keys are in use', async () => {
    const { client, answers } = await openWithLogin();
    sendEach(client, range(101, 120));
    await client.rekey();
    answers.length = 0;
    const due = sendEach(client, [102, 84]);
    expect(due[0]).toBeLessThan(5);
    await expect.poll(() => answers).toEqual(due);
    client.close();
  });

  it('is not answered where ssh says to ignore it: a login after the login, RFC 4252 §5.3', async () => {
    const { client, answers } = await openWithLogin();
    sendEach(client, [50, 2, 3]);
    expect(await client.taken(10_000)).toBe(true);
    expect(answers).toEqual([]);
    client.close();
  });
});

describe('who asks for answers that nobody needs', () => {
  it('a stranger has a few of them, and then no connection', async () => {
    const { client } = await open();
    sendEach(client, range(102, 118));
    await expect.poll(() => client.isOpen()).toBe(false);
    expect((await door.ssh('x', { stdin: 'still there' })).stdout.toString()).toBe('still there');
  });

  it('one of 40,000 bytes ends the connection, as any other of that length', async () => {
    const { client, answers } = await openWithLogin();
    client.send(Buffer.concat([byte(102), Buffer.alloc(40_000)]));
    await expect.poll(() => client.isOpen()).toBe(false);
    expect(answers).toEqual([]);
  });
});

describe('a registered host', () => {
  it('is answered as well, before and after the login', async () => {
    const handlers = createRequire(import.meta.url)('ssh2/lib/protocol/handlers.js') as MessageHandler[];
    const passOver = handlers[unimplemented] as MessageHandler;
    const answers: number[] = [];
    handlers[unimplemented] = (protocol, payload) => {
      answers.push(new WireReader(payload, 1).uint32());
      return passOver(protocol, payload);
    };
    const behind = await startHostsBehind();
    const host = await startHostileHost(behind, 'modern', {
      onLogin: (client, accept) => {
        sendRaw(client, 102, string('x'));
        accept();
      },
      onReady: (client) => {
        for (const type of [84, 102]) sendRaw(client, type, string('x'));
        client.on('session', (accept) => {
          accept().on('exec', (acceptExec) => {
            const stream = acceptExec();
            stream.exit(7);
            stream.end();
          });
        });
      },
    });
    const { status } = await behind.ssh('true', { login: 'rexec-modern' });
    expect([status, answers.length]).toEqual([7, 3]);
    host.stop();
    await behind.stop();
    handlers[unimplemented] = passOver;
  });
});
