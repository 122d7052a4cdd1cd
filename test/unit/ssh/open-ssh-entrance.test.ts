import { type ChildProcess, fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from 'vitest';
import type { Offence } from '../../../src/auth/penalties.ts';
import { configSchema } from '../../../src/config/config.ts';
import { noMeter } from '../../../src/metrics/meter.ts';
import { keepUnread } from '../../../src/platform/keep-unread.ts';
import type { SshArrival } from '../../../src/ssh/arrival.ts';
import { openSshEntrance, type SshEntrance } from '../../../src/ssh/open-ssh-entrance.ts';

const child: ChildProcess = fork(new URL('../../support/echo-passed-socket.ts', import.meta.url).pathname);
afterAll(() => void child.kill());
let entrance: SshEntrance;
afterEach(() => entrance.close());

async function open(given: Record<string, unknown>, onArrival: (arrival: SshArrival) => void) {
  const refused: string[] = [];
  const penalised: [string, Offence][] = [];
  entrance = await openSshEntrance(
    {
      config: configSchema.parse({ sshListen: '127.0.0.1:0', ...given }),
      penalties: { refuse: () => undefined, penalise: (...told) => void penalised.push(told) },
      shared: { isShared: () => false },
      audit: { connectionRefused: ({ reason }) => void refused.push(reason) },
      meter: { ...noMeter, connectionRefused: (reason) => void refused.push(reason) },
    },
    onArrival,
  );
  const { address, port } = entrance.address;
  return { refused, penalised, connect: () => connect({ port, host: address, allowHalfOpen: true }) };
}

/** As the pool of workers does. */
const pass = ({ socket, head }: SshArrival) => {
  keepUnread(socket);
  child.send({ head: head.toString('base64') }, socket);
};

async function answerOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

it('what is served by another process loses no byte, be it sent at once or behind a proxy’s header', async () => {
  const { connect } = await open({ proxyProtocolFrom: ['127.0.0.1'] }, pass);
  const bytes = Buffer.alloc(2_000_000, 'SSH-2.0-x\r\n');
  for (let round = 0; round < 5; round++) {
    const socket = connect();
    socket.write('PROXY TCP4 192.0.2.7 192.0.2.8 50000 22\r\n');
    socket.end(bytes);
    expect((await answerOf(socket)).equals(bytes)).toBe(true);
  }
  entrance.close();
  const plain = (await open({}, pass)).connect();
  plain.end(bytes);
  expect((await answerOf(plain)).equals(bytes)).toBe(true);
});

it('who is passed on counts until their end is told, and once', async () => {
  const arrivals: SshArrival[] = [];
  const { connect, refused, penalised } = await open(
    { maxConnections: 2, perSourceMaxStartups: 2 },
    (arrival) => {
      pass(arrival);
      arrivals.push(arrival);
    },
  );
  const arrived = async (count: number) => {
    connect().on('error', () => {});
    await expect.poll(() => arrivals.length + refused.length).toBe(count);
  };
  await arrived(1);
  await arrived(2);
  await arrived(3);
  expect(refused).toEqual(['max_connections']);
  arrivals[0]?.startup.left('noauth');
  arrivals[0]?.startup.left();
  await nextTurn();
  await arrived(4);
  expect([arrivals.length, penalised]).toEqual([3, [['127.0.0.1', 'noauth']]]);
  await arrived(5);
  expect(refused).toEqual(['max_connections', 'max_connections']);
});

it('who another process let in counts here as if they had come here', async () => {
  const arrivals: SshArrival[] = [];
  const { connect, refused, penalised } = await open(
    { maxConnections: 3, perSourceMaxStartups: 1 },
    (arrival) => void arrivals.push(arrival),
  );
  const come = () => void connect().on('error', () => {});
  const stranger = entrance.adopt('127.0.0.1', false);
  entrance.adopt('127.0.0.1', true);
  come();
  await expect.poll(() => refused).toEqual(['PerSourceMaxStartups', 'per_source_max_startups']);
  stranger.left('noauth');
  expect(penalised).toEqual([['127.0.0.1', 'noauth']]);
  come();
  await expect.poll(() => arrivals.length).toBe(1);
  entrance.adopt('192.0.2.1', true);
  come();
  await expect.poll(() => refused.at(-1)).toBe('max_connections');
  arrivals[0]?.socket.destroy();
});
