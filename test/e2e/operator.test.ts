/** The operator at the machine: `postern serve` as a process, the control socket, and what a start says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import {
  hostKeyIn,
  main,
  type Served,
  serveArgs,
  serve as startServing,
  stop,
  targetIn,
} from '../support/served.ts';
import {
  collect,
  type KeyPair,
  makeKeyPair,
  runProgram,
  spawnSsh,
  ssh,
  writeKnownHosts,
} from '../support/ssh-client.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-operator-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const serve = (extra?: readonly string[]) => startServing(folder, extra);
const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);

describe('postern serve', () => {
  it('prints address, fingerprints and one invite line that works; the next start prints another', async () => {
    const first = await serve();
    const firstCode = /join\+([a-z2-7]+)@/.exec(first.printed())?.[1];
    expect(first.printed()).toMatch(
      /^Postern listens for SSH on 127\.0\.0\.1:\d+\nHost key ssh-ed25519 SHA256:/,
    );
    expect(first.printed()).toContain('-o IdentitiesOnly=yes -i');
    expect(await stop(first)).toBe(0);

    const second = await serve();
    const code = /join\+([a-z2-7]+)@/.exec(second.printed())?.[1] as string;
    expect(code).not.toBe(firstCode);
    const key = await makeKeyPair();
    const target = await targetIn(folder, second.port);
    const old = await ssh(target, 'alice', {
      key,
      login: `join+${firstCode}`,
      args: ['-o', 'LogLevel=INFO'],
    });
    expect(old.status).toBe(255);
    expect(old.stderr).toContain('this invite is not valid');
    const joined = await ssh(target, 'alice', { key, login: `join+${code}` });
    expect(joined.text).toContain('Welcome, alice');
    expect((await ssh(target, 'whoami', { key })).text).toContain('Role: admin');
    const again = await ssh(target, 'bob', { key: await makeKeyPair(), login: `join+${code}` });
    expect(again.status).toBe(255);
    await stop(second);

    const third = await serve();
    expect(third.printed()).not.toContain('join+');
    await stop(third);
  });

  it('two-gateways-one-folder: the second is refused with the pid of the first', async () => {
    const first = await serve();
    const second = await collect(
      spawn(process.execPath, serveArgs(folder), { stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`in use by another gateway (process ${first.child.pid}`);
    await stop(first);
  });

  it('corrupt-store: not overwritten, and the sentence says how to restore it', async () => {
    const file = join(folder, 'data/postern.json');
    // It is there already, unless the others of these tests keep their rows in a database.
    await stop(await serve(['--store=lowdb']));
    const good = await readFile(file, 'utf8');
    await writeFile(file, good.slice(0, good.length / 2));
    const refused = await collect(
      spawn(process.execPath, serveArgs(folder), { stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    expect(refused.status).toBe(1);
    expect(await readFile(file, 'utf8')).toBe(good.slice(0, good.length / 2));
    // The sentence is followed to the letter, as an operator in a hurry would.
    const advice = /To go back to it: +(mv .+)$/m.exec(refused.stderr)?.[1] as string;
    expect((await runProgram('sh', ['-c', advice])).status).toBe(0);
    await stop(await serve(['--store=lowdb']));
    await writeFile(file, good);
  });

  it('starts without a Docker Engine, and says that containers are unavailable', async () => {
    const served = await serve([`--docker=unix://${folder}/nothing.sock`, '--http-listen=127.0.0.1:0']);
    await expect.poll(served.printed).toContain('No containers for now: the Docker Engine cannot be reached');
    const health = /http:\/\/127\.0\.0\.1:\d+/.exec(served.printed())?.[0] as string;
    expect(await (await fetch(`${health}/healthz`)).json()).toMatchObject({ status: 'ok' });
    expect(await (await fetch(`${health}/readyz`)).json()).toMatchObject({ containers: 'unavailable' });
    expect((await fetch(`${health}/`)).status).toBe(404);
    await stop(served);
  });

  it.each([
    [['--ssh-lisen=x'], 2, /Unknown argument: ssh-lisen/],
    [['--ssh-listen=nonsense'], 2, /sshListen is wrong: must be HOST:PORT.*--ssh-listen, POSTERN_SSH_LISTEN/],
    [['--domain=a b'], 2, /domain is wrong: must be a host name.*--domain, POSTERN_DOMAIN/],
    [
      ['--data=/proc/nothing'],
      2,
      /the data folder \/proc\/nothing cannot be made \(no such file or folder\).*--data/,
    ],
    [['--data=/dev/null'], 2, /the data folder \/dev\/null cannot be made \(something of that name is there/],
    [
      ['--hostkeys=/dev/null/x'],
      1,
      /folder of host keys \/dev\/null\/x cannot be made \(something in its path/,
    ],
    [
      ['--ssh-listen=nosuch.invalid:2299'],
      1,
      /nosuch\.invalid:2299 has a host name that cannot be looked up/,
    ],
    [['--config=/nonexistent'], 2, /configuration file \/nonexistent cannot be used: no such file or folder/],
    [['--docker=ftp://x'], 2, /docker/i],
  ])('a wrong flag %j is named', async (flags, status, sentence) => {
    const outcome = await collect(
      spawn(process.execPath, serveArgs(folder, flags), { stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    expect(outcome.status).toBe(status);
    expect(outcome.stderr).toMatch(sentence);
    expect(outcome.stderr).toMatch(/^postern: .+\n$/);
  });
});

describe('--help', () => {
  it.each([
    [['help'], /^Usage: postern \[COMMAND\]/],
    [['reload', '--help'], /^Usage: postern reload/],
    [['restart', '-h'], /--timeout=SECONDS/],
    [['hostkey', 'rotate', '--help'], /--finish/],
    [['restore', '--help'], /Checks the backup, .*\n(?!\S{1,20}\n)/],
  ])('%j explains, without a gateway', async (words, help) => {
    const outcome = await runProgram(process.execPath, [main, ...words]);
    expect(outcome.status).toBe(0);
    expect(outcome.text).toMatch(help);
    for (const line of outcome.text.split('\n')) expect(line.length).toBeLessThan(120);
  });
});

describe('the control socket', () => {
  let served: Served;
  let recovered: KeyPair;
  beforeAll(async () => {
    served = await serve();
    recovered = await makeKeyPair();
  });
  afterAll(() => stop(served));

  it('is for its owner alone', async () => {
    expect((await stat(join(folder, 'data/control.sock'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'data/postern.json'))).mode & 0o777).toBe(0o600);
  });

  it('recovers a lost admin key', async () => {
    expect((await postern('account', 'list')).text).toContain('alice');
    const added = await runProgram(
      process.execPath,
      [main, 'account', 'add-key', 'alice', `--data=${folder}/data`],
      { stdin: recovered.publicKey },
    );
    expect([added.stderr, added.status]).toEqual(['', 0]);
    const outcome = await ssh(await targetIn(folder, served.port), 'whoami', { key: recovered });
    expect(outcome.text).toContain('Account: alice');
  });

  it('registers hosts and engines, in a script whose stdin stays open too', async () => {
    const add = [main, 'host', 'add', 'db', 'app@127.0.0.1:1', `--data=${folder}/data`];
    const child = spawn(process.execPath, add, { stdio: ['pipe', 'ignore', 'ignore'] });
    expect(await once(child, 'exit')).toEqual([0, null]);
    const piped = [main, 'host', 'add', 'web', 'app@127.0.0.1:2', '--host-key=-', `--data=${folder}/data`];
    const added = await runProgram(process.execPath, piped, { stdin: recovered.publicKey });
    expect(added.text).toContain(recovered.fingerprint);
    expect((await postern('host', 'list')).text).toMatch(/db .*\nweb /);
    expect((await postern('engine', 'list')).text).toContain('default');
    expect((await postern('ssh-config')).text).toContain('Host rexec-db');
  });

  it('makes a backup, and never overwrites one', async () => {
    const file = join(folder, 'backup.tar');
    const made = await postern('backup', file);
    expect([made.stderr, made.status]).toEqual(['', 0]);
    expect(await readFile(file, 'utf8')).toContain(recovered.fingerprint);
    const again = await postern('backup', file);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/^postern: no backup was made/);
  });

  it('replaces the host keys: announced first, learned by clients, then in use without a warning', async () => {
    const target = await targetIn(folder, served.port);
    const learning = { key: recovered, args: ['-o', 'UpdateHostKeys=yes'] };
    const before = await hostKeyIn(folder);
    expect((await postern('hostkey', 'rotate', '--finish')).stderr).toContain('there are no next host keys');
    const begun = await postern('hostkey', 'rotate');
    expect(begun.text).toContain('announced from now on');
    // The client asks for the proofs while its session runs: the prompt of a terminal stays open long enough.
    const child = spawnSsh(target, undefined, { ...learning, args: ['-tt', ...learning.args] });
    const isLearned = async () => (await readFile(target.knownHosts, 'utf8')).split('\n').length > 4;
    expect(await until(isLearned, 20_000)).toBe(true);
    child.kill();
    const finished = await postern('hostkey', 'rotate', '--finish');
    expect([finished.stderr, finished.status]).toEqual(['', 0]);
    expect(await hostKeyIn(folder)).not.toBe(before);
    expect((await ssh(target, 'whoami', { key: recovered })).text).toContain('alice');
    const unlearned = await writeKnownHosts(served.port, [before]);
    expect((await ssh({ ...target, knownHosts: unlearned }, 'whoami', { key: recovered })).status).toBe(255);
  });

  it('hostile-control-request: nonsense is answered or dropped, and the gateway stands', async () => {
    for (const text of [
      '',
      'nonsense',
      '{"line":1}',
      '{"line":"help","stdin":"","x":1}',
      '['.repeat(10_000),
    ]) {
      await new Promise<void>((resolve) => {
        const socket = createConnection({ path: join(folder, 'data/control.sock'), allowHalfOpen: true });
        socket.resume().once('close', () => resolve());
        socket.on('error', () => {});
        socket.end(text);
      });
    }
    expect((await postern('account', 'list')).status).toBe(0);
  });

  it('without a running gateway, the sentence says what to do', async () => {
    const outcome = await runProgram(process.execPath, [
      main,
      'account',
      'list',
      `--data=${folder}/elsewhere`,
    ]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toMatch(/^postern: no gateway answers at .+; start one with "postern serve"/);
  });
});
