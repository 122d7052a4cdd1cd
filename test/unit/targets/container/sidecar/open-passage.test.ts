import { readdir, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPassage, type Passage } from '../../../../../src/targets/container/sidecar/open-passage.ts';

let passage: Passage;
beforeEach(async () => {
  passage = await openPassage();
});
afterEach(() => passage.close());

/** Connects as whatever can see the folder does, and says that. */
const say = (text: string): Socket => {
  const socket = connect(join(passage.folder, 'socket'));
  socket.on('error', () => {}).resume();
  socket.write(text);
  return socket;
};
const isClosed = (socket: Socket) =>
  Promise.race([
    new Promise<boolean>((resolve) => socket.once('close', () => resolve(true))),
    pause(20_000, false, { ref: false }),
  ]);

it('who says the token is the one that was expected, with all that follows it', async () => {
  const expected = passage.expect();
  const sidecar = say(`${expected.token}\nand more`);
  const socket = await expected.arrived();
  expect(String(socket.read() ?? (await new Promise((resolve) => socket.once('data', resolve))))).toBe(
    'and more',
  );
  socket.destroy();
  sidecar.destroy();
});

it('stranger-on-the-passage: no token, a wrong one, one that was used or given up opens nothing', async () => {
  const [used, forgotten] = [passage.expect(), passage.expect()];
  const first = say(`${used.token}\n`);
  (await used.arrived()).on('error', () => {});
  forgotten.forget();
  for (const text of [
    'x'.repeat(33),
    `${used.token}\n`,
    `${forgotten.token}\n`,
    `${'\0'.repeat(1_000_000)}\n`,
  ]) {
    expect(await isClosed(say(text))).toBe(true);
  }
  const expected = passage.expect();
  expect(await isClosed(say(`${expected.token}x`))).toBe(true);
  first.destroy();
});

it('came-unasked: who has come when the token is given up is sent away', async () => {
  const expected = passage.expect();
  const socket = say(`${expected.token}\n`);
  await pause(50);
  expected.forget();
  expect(await isClosed(socket)).toBe(true);
});

it('who connects and says nothing keeps nobody else out', async () => {
  const silent = Array.from({ length: 300 }, () => say(''));
  const expected = passage.expect();
  const sidecar = say(`${expected.token}\n`);
  (await expected.arrived()).destroy();
  for (const socket of [...silent, sidecar]) socket.destroy();
});

it('nobody else of the machine passes the folder around it, and nothing is left at the end', async () => {
  const outer = dirname(passage.folder);
  expect((await stat(outer)).mode & 0o777).toBe(0o700);
  expect(await readdir(passage.folder)).toEqual(['socket']);
  passage.close();
  await expect
    .poll(() =>
      stat(outer).then(
        () => 'there',
        () => 'gone',
      ),
    )
    .toBe('gone');
});
