import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { InsideConnection } from '../../../../../src/targets/container/sidecar/inside-connection.ts';
import { takeConnections } from '../../../../../src/targets/container/sidecar/take-connections.ts';

const log = pino({ level: 'silent' });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A program inside that gives what it is asked for, or refuses. */
function inside(refuses = false) {
  const asked: string[] = [];
  const given: PassThrough[] = [];
  const connection: InsideConnection = {
    asked: 0,
    load: 0,
    isOpen: true,
    isWorn: false,
    ask: async (path) => {
      asked.push(path);
      if (refuses) throw new Error('gone');
      const stream = new PassThrough();
      given.push(stream);
      return { stream, headers: {}, cancel: () => {}, trailers: () => undefined };
    },
    answers: async () => true,
    onClose: () => {},
    close: () => {},
  };
  return { asked, given, connection };
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `${from + n} - 0\n`).join('');

it('made-up-connections: no more than 256 are taken at once, whatever is told', async () => {
  const { asked, given, connection } = inside();
  const told = new PassThrough();
  let came = 0;
  takeConnections(connection, told, () => came++, log);
  told.write(lines(0, 20_000));
  await turn();
  expect([asked.length, came]).toEqual([256, 256]);
  for (const stream of given.slice(0, 10)) stream.destroy();
  await turn();
  told.write(lines(20_000, 20_100));
  await turn();
  expect(asked).toHaveLength(266);
});

it('one that is gone before it is taken leaves its room to others', async () => {
  const { asked, connection } = inside(true);
  const told = new PassThrough();
  takeConnections(connection, told, () => {}, log);
  for (let n = 0; n < 3; n++) {
    told.write(lines(n * 200, (n + 1) * 200));
    await turn();
  }
  expect(asked).toHaveLength(600);
});
