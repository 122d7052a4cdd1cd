/** `postern restart`: new code and configuration in new processes, while what is open stays where it is. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPrompt } from '../support/open-prompt.ts';
import { isRunning, servingWorkers, supervisorsOf, until } from '../support/processes.ts';
import { main, type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, type SshTarget, ssh } from '../support/ssh-client.ts';

let folder: string;
let file: string;
let served: Served;
let target: SshTarget;
let admin: KeyPair;
const configure = (values: Record<string, unknown>) => writeFile(file, JSON.stringify(values));
const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);
const whoami = () => ssh(target, 'whoami', { key: admin });
/** How many supervisors have been. */
const inCharge = () => served.printed().split('"in charge"').length - 1;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-restart-'));
  file = join(folder, 'postern.json');
  admin = await makeKeyPair();
  await configure({ workers: 2 });
  // Restored is a file of its own; workers-on-postgres.test.ts restarts those of a database.
  const extra = [`--admin-key=${admin.file}.pub`, `--config=${file}`, '--store=lowdb', '--log-level=info'];
  served = await serve(folder, extra);
  target = await targetIn(folder, served.port);
});
afterAll(async () => {
  await stop(served);
  await rm(folder, { recursive: true, force: true });
});

describe('postern restart', () => {
  it('puts another supervisor with other workers in charge, and a prompt stays open in an old one', async () => {
    const prompt = await openPrompt(target, admin);
    const before = [...supervisorsOf(served), ...servingWorkers(served)];
    const { text, stderr, status } = await postern('restart');
    expect([text, stderr, status]).toEqual([
      'Another supervisor is in charge; what was open stays open.\n',
      '',
      0,
    ]);
    expect((await whoami()).text).toContain('Account: admin');
    const now = servingWorkers(served);
    expect(now).toHaveLength(2);
    expect(now.filter((pid) => before.includes(pid))).toEqual([]);
    await prompt.ask('whoami', /Role: admin/);
    // What it changes there counts here, and the other way round.
    const added = await makeKeyPair();
    await prompt.ask(`ssh-key add '${added.publicKey}' --name=there`, /Added/);
    expect((await ssh(target, 'whoami', { key: added })).text).toContain('Account: admin');
    expect((await ssh(target, 'ssh-key remove there', { key: admin })).status).toBe(0);
    await prompt.ask('ssh-key list', /NAME/);
    // Of the other worker nothing is open, and it leaves.
    await until(() => before.filter(isRunning).length === 2);
    prompt.child.stdin?.write('exit\r');
    expect(await prompt.left).toEqual([0, null]);
    await until(() => before.filter(isRunning).length === 0);
  });

  it('takes what only a restart can change of the configuration', async () => {
    await configure({ workers: 1, domain: 'other.example' });
    const before = inCharge();
    served.child.kill('SIGHUP');
    await until(() => inCharge() > before);
    expect(servingWorkers(served)).toHaveLength(1);
    expect((await ssh(target, 'ssh-config', { key: admin })).text).toContain('other.example');
  });

  it('a configuration with a mistake is refused with its line, and what runs goes on', async () => {
    await until(() => supervisorsOf(served).length === 1);
    const before = [...supervisorsOf(served), ...servingWorkers(served)];
    await writeFile(file, '{\n  "maxAuthTries": 6,,\n}\n');
    const refused = await postern('restart');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(
      /^postern: no restart: .*cannot be used: line 2: .* What runs goes on\.\n$/,
    );
    served.child.kill('SIGHUP');
    await until(() => /No restart: .*line 2/.test(served.printed()));
    await until(() => supervisorsOf(served).length === 1);
    expect([...supervisorsOf(served), ...servingWorkers(served)]).toEqual(before);
    expect((await whoami()).text).toContain('Account: admin');
    await configure({ workers: 2 });
  });
});

describe('with a file that has a mistake by now, what was in force stays', () => {
  const stays = /postern\.json cannot be used: line 1.* in force stays as it was/;

  it('bad-file-at-crash: for the supervisor that follows one that was killed', async () => {
    const [supervisor = 0] = supervisorsOf(served);
    const before = inCharge();
    await writeFile(file, '{');
    process.kill(supervisor, 'SIGKILL');
    await until(() => inCharge() > before);
    expect(served.printed()).toMatch(stays);
    expect((await whoami()).text).toContain('Account: admin');
  });

  it('bad-file-at-restore: for the gateway that is restored', async () => {
    await configure({ workers: 2 });
    expect((await postern('restart')).status).toBe(0);
    const backup = join(folder, 'backup.tar');
    expect((await postern('backup', backup)).status).toBe(0);
    const before = inCharge();
    await writeFile(file, '{');
    const restored = await postern('restore', backup);
    expect([restored.stderr, restored.status]).toEqual(['', 0]);
    await until(() => inCharge() > before);
    expect(served.printed().split('in force stays as it was')).toHaveLength(3);
    expect((await whoami()).text).toContain('Account: admin');
  });
});

it('without workers it says that there is nothing to put in its place', async () => {
  const other = join(folder, 'one');
  const one = await serve(other, ['--workers=0']);
  const refused = await runProgram(process.execPath, [main, 'restart', `--data=${other}/data`]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('this gateway is one process (workers: 0)');
  await stop(one);
});
