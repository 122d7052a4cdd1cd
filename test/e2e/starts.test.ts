/** How a gateway with workers starts: what was shown at its first start stays good, and what is refused ends it. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPrompt } from '../support/open-prompt.ts';
import { supervisorsOf, until } from '../support/processes.ts';
import { main, serve, serveArgs, stop, targetIn } from '../support/served.ts';
import { collect, type KeyPair, makeKeyPair, runProgram, ssh } from '../support/ssh-client.ts';
import { storeOf } from '../support/store-under-test.ts';

/** Loading takes its time on a busy machine. */
const patienceMs = 40_000;
let folder: string;
/** Of the account `alice`, once she has joined. */
let key: KeyPair;
beforeAll(async () => {
  key = await makeKeyPair();
  folder = await mkdtemp(join(tmpdir(), 'postern-starts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);
/** Of a start with this admin key, which nobody stops. */
async function outcome(adminKey: string) {
  const args = serveArgs(folder, ['--workers=1', `--admin-key=${adminKey}`]);
  const env = { ...process.env, POSTERN_STORE: await storeOf(join(folder, 'data')) };
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env, detached: true });
  const impatience = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), patienceMs);
  const { status, stderr } = await collect(child);
  clearTimeout(impatience);
  return { status, stderr };
}

it('the first invite is good after a restart, and after a crash: nobody was shown another', async () => {
  const served = await serve(folder, ['--workers=1', '--log-level=info']);
  const inCharge = () => served.printed().split('"in charge"').length - 1;
  const code = /join\+([a-z2-7]+)@/.exec(served.printed())?.[1];
  const [first = 0] = supervisorsOf(served);
  process.kill(first, 'SIGKILL');
  await until(() => inCharge() === 2);
  expect((await postern('restart')).status).toBe(0);
  const target = await targetIn(folder, served.port);
  const joined = await ssh(target, 'alice', { key, login: `join+${code}` });
  expect([joined.stderr, joined.text]).toEqual(['', expect.stringContaining('Welcome, alice')]);
  expect(await stop(served)).toBe(0);
});

it('missing-admin-key: ends a start with one sentence', async () => {
  const file = join(folder, 'nothing.pub');
  expect(await outcome(file)).toEqual({
    status: 2,
    stderr: `postern: the admin key file ${file} cannot be read (no such file or folder); name a public key file after --admin-key.\n`,
  });
});

it('admin-key-of-another: ends a start with one sentence, that of another account', async () => {
  expect(await outcome(`${key.file}.pub`)).toEqual({
    status: 2,
    stderr: 'postern: the key of --admin-key is registered with the account "alice"; give another one.\n',
  });
});

it('an admin key that is missing is refused before a restart; one of another account is passed over by it', async () => {
  const file = join(folder, 'postern.json');
  const configure = (adminKeyFile?: string) => writeFile(file, JSON.stringify({ workers: 1, adminKeyFile }));
  await configure();
  const served = await serve(folder, [`--config=${file}`]);
  const target = await targetIn(folder, served.port);
  const whoami = async () => (await ssh(target, 'whoami', { key })).text;
  await configure(join(folder, 'nothing.pub'));
  const { status, stderr } = await postern('restart');
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^postern: no restart: the admin key file .* What runs goes on\.\n$/),
  ]);
  expect(await whoami()).toContain('Account: alice');
  await configure(`${key.file}.pub`);
  const prompt = await openPrompt(target, key);
  expect((await postern('restart')).status).toBe(0);
  await until(() =>
    served
      .printed()
      .includes('registered with the account \\"alice\\"; give another one. The gateway goes on'),
  );
  expect(await whoami()).toContain('Account: alice');
  await prompt.ask('whoami', /Account: alice/);
  prompt.child.kill();
  expect(await stop(served)).toBe(0);
});
