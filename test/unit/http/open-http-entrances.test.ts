import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/config.ts';
import { type HttpEntrances, openHttpEntrances } from '../../../src/http/open-http-entrances.ts';
import { noMeter } from '../../../src/metrics/meter.ts';

let entrances: HttpEntrances;
const clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await entrances.close(0);
});

/** Serves nobody; resolves what is told of each who comes from `source`: whether they were let in. */
async function open(isShared: (address: string) => boolean = () => false) {
  const served = new Set<string>();
  entrances = await openHttpEntrances({
    config: configSchema.parse({ httpListen: '127.0.0.1:0', maxConnections: 20 }),
    log: pino({ level: 'silent' }),
    meter: noMeter,
    engineAnswers: async () => true,
    isDraining: () => false,
    shared: { isShared },
    serve: (socket) => {
      served.add(`${socket.remoteAddress} ${socket.remotePort}`);
      socket.on('error', () => {});
    },
  });
  const { address: host, port = 0 } = entrances.httpAddress ?? {};
  return async (source: string): Promise<boolean> => {
    const client = connect({ host, port, localAddress: source });
    clients.push(client);
    let isClosed = false;
    client
      .on('error', () => {})
      .once('close', () => {
        isClosed = true;
      });
    await new Promise((resolve) => client.once('connect', resolve).once('close', resolve));
    // Two sources may well have the same port.
    const end = `${source} ${client.localPort}`;
    await expect.poll(() => isClosed || served.has(end), { interval: 5 }).toBe(true);
    return served.has(end);
  };
}

/** How many of them were let in. */
async function comeAll(come: (source: string) => Promise<boolean>, source: string, count: number) {
  let entered = 0;
  for (let each = 0; each < count; each++) if (await come(source)) entered++;
  return entered;
}

describe('http-hoard: a source that holds all the connections that it can get', () => {
  it('leaves half of them to all others, and a second such source some to a third', async () => {
    const come = await open();
    expect(await comeAll(come, '127.0.0.2', 30)).toBe(11);
    expect(await comeAll(come, '127.0.0.3', 30)).toBe(5);
    expect(await come('127.0.0.4')).toBe(true);
  });

  it('has what it held before a restart counted, too', async () => {
    const come = await open();
    const left = Array.from({ length: 10 }, () => entrances.adopt('127.0.0.2'));
    expect(await come('127.0.0.2')).toBe(true);
    expect(await come('127.0.0.2')).toBe(false);
    for (const leave of left) leave();
    expect(await come('127.0.0.2')).toBe(true);
  });

  it('may be all people at once: a listed proxy has no share', async () => {
    const come = await open((address) => address === '127.0.0.2');
    expect(await comeAll(come, '127.0.0.2', 30)).toBe(20);
  });
});
