/** How a gateway with workers starts: what was shown at its first start stays good, and what is refused ends it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { supervisorsOf, until } from '../support/processes.ts';
import { main, serve, stop, targetIn } from '../support/served.ts';
import { makeKeyPair, runProgram, ssh } from '../support/ssh-client.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-starts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);

it('the first invite is good after a restart, and after a crash: nobody was shown another', async () => {
  const served = await serve(folder, ['--workers=1', '--log-level=info']);
  const inCharge = () => served.printed().split('"in charge"').length - 1;
  const code = /join\+([a-z2-7]+)@/.exec(served.printed())?.[1];
  const [first = 0] = supervisorsOf(served);
  process.kill(first, 'SIGKILL');
  await until(() => inCharge() === 2);
  expect((await postern('restart')).status).toBe(0);
  const target = await targetIn(folder, served.port);
  const key = await makeKeyPair();
  const joined = await ssh(target, 'alice', { key, login: `join+${code}` });
  expect([joined.stderr, joined.text]).toEqual(['', expect.stringContaining('Welcome, alice')]);
  expect(await stop(served)).toBe(0);
});
