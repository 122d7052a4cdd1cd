/** Whom the gateway greets inside a container may be gone, or be stopped: the greeting ends all the same. */
import { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { greet } from '../../../../../src/targets/container/sidecar/inside-connection.ts';

type Write = NonNullable<ConstructorParameters<typeof Duplex>[0]>['write'];
const taken: Write = (_chunk, _encoding, done) => done();
const stuck: Write = () => {};
const stdioWith = (write: Write) => new Duplex({ read() {}, write });

it('a greeting over what has ended before it is refused', async () => {
  const stdio = stdioWith(taken);
  stdio.destroy();
  await pause(10);
  await expect(greet(stdio, 100)).rejects.toThrow('it ended');
});

it.each([
  ['that says nothing', taken],
  ['that takes nothing', stuck],
])('a greeting of one %s has an end, and what it went over is closed', async (_which, write) => {
  const stdio = stdioWith(write);
  await expect(greet(stdio, 100)).rejects.toThrow('no answer in time');
  expect(stdio.destroyed).toBe(true);
});

it('a greeting of one that ends meanwhile fails', async () => {
  const stdio = stdioWith(taken);
  setTimeout(() => stdio.destroy(), 20);
  await expect(greet(stdio, 5_000)).rejects.toThrow('it ended');
});
