/** What people do with a host through the gateway: files, forwards, many sessions at once, limits. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { type KeyPair, makeKeyPair, runProgram, spawnSsh, sshArguments } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: HostsBehind;
let sshd: Sshd;
let echo: Server;
let folder: string;
const big = randomBytes(8 * 1024 * 1024);
beforeAll(async () => {
  door = await startHostsBehind();
  folder = await mkdtemp(join(tmpdir(), 'postern-files-'));
  await writeFile(join(folder, 'big'), big);
  sshd = await startSshd([
    ...(await lettingIn(door.identity)),
    'Subsystem sftp internal-sftp',
    'AllowTcpForwarding yes',
    'MaxStartups 100',
  ]);
  await door.addHost('host', sshd.port);
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => echo.once('listening', resolve));
});
afterAll(async () => {
  echo.close();
  await Promise.all([door.stop(), sshd.stop()]);
});

const aimed = () => sshArguments(door, { key: door.admin });
const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const at = 'rexec-host@127.0.0.1';
const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe('files', () => {
  it.each([
    ['scp over sftp', []],
    ['scp of old', ['-O']],
  ])('%s, both ways', async (_, flags) => {
    const scp = (from: string, there: string) =>
      runProgram('scp', [...aimed(), ...flags, '-P', String(door.port), from, there]);
    expect(await scp(join(folder, 'big'), `${at}:${folder}/up`)).toMatchObject({ stderr: '', status: 0 });
    expect(hash(await readFile(join(folder, 'up')))).toBe(hash(big));
    expect(await scp(`${at}:${folder}/big`, join(folder, 'down'))).toMatchObject({ stderr: '', status: 0 });
    expect(hash(await readFile(join(folder, 'down')))).toBe(hash(big));
  });

  it('a command in another encoding than UTF-8 arrives as it is', async () => {
    const args = [...aimed(), '-p', String(door.port), at];
    const said = await runProgram('sh', [
      '-c',
      'exec ssh "$@" "printf $(printf \'caf\\351\') | od -An -to1"',
      'sh',
      ...args,
    ]);
    expect(said).toMatchObject({ text: ' 143 141 146 351\n', stderr: '', status: 0 });
  });

  it('rsync', async () => {
    const rsh = ['ssh', ...aimed(), '-p', String(door.port)].join(' ');
    const { stderr, status } = await runProgram('rsync', [
      '-e',
      rsh,
      `${at}:${folder}/big`,
      join(folder, 'synced'),
    ]);
    expect([stderr, status]).toEqual(['', 0]);
    expect(hash(await readFile(join(folder, 'synced')))).toBe(hash(big));
  });
});

describe('forwards', () => {
  const forwarding = async (...args: readonly string[]) => {
    const child = spawnSsh(door, 'echo ready; cat', { login: 'rexec-host', key: door.admin, args });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child;
  };
  const through = (port: number) =>
    new Promise<Buffer>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const got: Buffer[] = [];
      socket.on('data', (data) => got.push(data)).once('end', () => resolve(Buffer.concat(got)));
      socket.once('error', reject);
      socket.end(big);
    });

  it('-L reaches what the host reaches, and each side ends by itself', async () => {
    const port = await freePort();
    const child = await forwarding('-L', `${port}:localhost:${portOf(echo)}`);
    expect(hash(await through(port))).toBe(hash(big));
    child.kill();
  });

  it('-R listens on the host', async () => {
    const port = await freePort();
    const child = await forwarding('-R', `${port}:127.0.0.1:${portOf(echo)}`);
    expect(hash(await through(port))).toBe(hash(big));
    // A SIGTERM that comes while ssh is busy waits for its next message, half a minute.
    child.kill('SIGKILL');
    await expect.poll(() => through(port).catch((error) => error.code)).toBe('ECONNREFUSED');
  });

  it('-R takes any free port where it is asked to', async () => {
    const child = spawnSsh(door, 'sleep 60', {
      login: 'rexec-host',
      key: door.admin,
      args: ['-o', 'LogLevel=INFO', '-R', `0:127.0.0.1:${portOf(echo)}`],
    });
    const said = await new Promise<string>((resolve) =>
      child.stderr?.on('data', (data: Buffer) => {
        if (/Allocated/.test(String(data))) resolve(String(data));
      }),
    );
    const port = Number(/Allocated port (\d+)/.exec(said)?.[1]);
    expect(hash(await through(port))).toBe(hash(big));
    child.kill();
  });

  it('-R takes two free ports for who asks twice', async () => {
    const any = ['127.0.0.1', 'localhost'].flatMap((to) => ['-R', `0:${to}:${portOf(echo)}`]);
    const { stderr } = await door.ssh('sleep 0.3', {
      login: 'rexec-host',
      args: ['-o', 'LogLevel=INFO', ...any],
    });
    expect(stderr.match(/Allocated port/g)).toHaveLength(2);
  });
});

describe('one connection with many sessions', () => {
  it('ControlMaster with twelve sessions, of which the host takes ten on a connection', async () => {
    const socket = join(folder, 'control');
    const args = ['-o', `ControlPath=${socket}`];
    const master = spawnSsh(door, undefined, {
      login: 'rexec-host',
      key: door.admin,
      args: [...args, '-o', 'ControlMaster=yes', '-N'],
    });
    const run = (command: string) => door.ssh(command, { login: 'rexec-host', args });
    await expect
      .poll(() => runProgram('test', ['-S', socket]).then(({ status }) => status), { timeout: 30_000 })
      .toBe(0);
    const before = (await sshd.logged()).match(/Accepted publickey/g)?.length ?? 0;
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, each) => run(`sleep 1; exit ${each}`)));
    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, (_, each) => each));
    const logins = ((await sshd.logged()).match(/Accepted publickey/g)?.length ?? 0) - before;
    expect(logins).toBeLessThanOrEqual(3);
    master.kill();
  });
});

describe('limits', () => {
  const member = async (name: string, grant: string): Promise<KeyPair> => {
    const key = await door.addMember(name);
    const granted = await door.ssh(`share add host ${name} ${grant}`);
    expect([granted.stderr, granted.status]).toEqual(['', 0]);
    return key;
  };

  it('a grant without pty, sftp and forwarding gives none', async () => {
    const key = await member('lea', '--no-pty --no-sftp --no-forwarding');
    const as = { login: 'rexec-host', key };
    expect(await door.ssh('echo fine', as)).toMatchObject({ text: 'fine\n', status: 0 });
    expect((await door.ssh('tty', { ...as, args: ['-tt'] })).stderr).toContain('terminal');
    expect((await door.ssh('sftp', { ...as, args: ['-s'] })).status).not.toBe(0);
    const forward = await door.ssh(undefined, { ...as, args: ['-W', `localhost:${portOf(echo)}`] });
    expect(forward.status).toBe(255);
    expect(door.logged().findLast(({ audit }) => audit === 'refused')).toMatchObject({
      reason: 'forward-refused',
    });
  });

  it('another user than those of the host is refused', async () => {
    const { stderr, status } = await door.ssh('id', { login: 'daemon+host' });
    expect([stderr, status]).toEqual([expect.stringContaining('daemon'), 255]);
  });

  it('a forced command runs in place of what is asked', async () => {
    const key = await makeKeyPair();
    const line = `command="echo forced $SSH_ORIGINAL_COMMAND" ${key.publicKey}`;
    const added = await door.ssh('ssh-key add', { stdin: `${line}\n` });
    expect(added.status).toBe(0);
    expect((await door.ssh('echo mine', { login: 'rexec-host', key })).text).toMatch(/^forced/);
  });

  it('a grant that is withdrawn ends the session and the forward that stand on it', async () => {
    const key = await member('tom', '');
    const port = await freePort();
    const child = spawnSsh(door, 'echo ready; sleep 30', {
      login: 'rexec-host',
      key,
      args: ['-L', `${port}:localhost:${portOf(echo)}`],
    });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const forward = connect(port, '127.0.0.1').on('error', () => {});
    forward.write('x');
    await new Promise((resolve) => forward.once('data', resolve));
    const ended = Promise.all([
      new Promise((resolve) => child.once('exit', resolve)),
      new Promise((resolve) => forward.once('close', resolve)),
    ]);
    expect((await door.ssh('share remove host tom')).status).toBe(0);
    // From when the change is acknowledged: until it is asked for, ssh has to start and log in.
    const since = Date.now();
    await ended;
    expect(Date.now() - since).toBeLessThan(5_000);
  });
});
