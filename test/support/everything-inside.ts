/** What people do in a container, whichever engine it is on: each is a claim of its own in whoever describes an engine. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exchange, openForwards } from './forward.ts';
import { freePort } from './free-port.ts';
import { type TestGateway, temporaryFile } from './gateway.ts';
import { runProgram, spawnSsh, sshArguments } from './ssh-client.ts';

/** Of busybox: answers each connection with what it was sent. Its pid, when it listens. */
const echoServer = (port: number) =>
  `nc -ll -p ${port} -e cat </dev/null >/dev/null 2>&1 & pid=$!
until cat /proc/net/tcp /proc/net/tcp6 | grep -q ':${port.toString(16).toUpperCase().padStart(4, '0')} .* 0A '; do sleep 0.05; done
echo $pid`;

export function claimEverythingInside(door: () => TestGateway, login: () => string): void {
  const run = (command: string, stdin?: string | Buffer) =>
    door().ssh(command, { login: login(), ...(stdin === undefined ? {} : { stdin }) });
  const files = (program: 'scp' | 'sftp', ...args: readonly string[]) =>
    runProgram(program, ['-P', String(door().port), ...sshArguments(door(), { key: door().admin }), ...args]);
  const place = (path: string) => `${login()}@127.0.0.1:${path}`;

  it('programs have their own output, errors and status', async () => {
    const ended = await run('echo out; echo err >&2; exit 3');
    expect(ended).toMatchObject({ text: 'out\n', status: 3 });
    expect(ended.stderr).toContain('err\n');
  });

  it('a second and a third begin in the same place', async () => {
    for (const word of ['two', 'three'])
      expect((await run(`echo ${word}; pwd`)).text).toBe(`${word}\n/root\n`);
  });

  it('stdin is binary, ends by itself, and 4 MiB come back as they went', async () => {
    const data = randomBytes(4 * 1024 * 1024);
    expect((await run('cat', data)).stdout.equals(data)).toBe(true);
  });

  it.each([1, 2])('a terminal is one, with the status of its program (%i)', async () => {
    const shown = await door().ssh('tty; exit 5', { login: login(), args: ['-tt'] });
    expect(shown.text).toMatch(/^\/dev\/(pts\/\d+|console)\r\n$/);
    expect(shown.status).toBe(5);
  });

  it('a client that goes away leaves nothing behind', async () => {
    const gone = spawnSsh(door(), 'echo began; sleep 4321', { login: login(), key: door().admin });
    await new Promise((resolve) => gone.stdout?.once('data', resolve));
    gone.kill('SIGKILL');
    await expect
      .poll(async () => (await run('ps | grep -c "[s]leep 4321"')).text, { timeout: 15_000 })
      .toBe('0\n');
  });

  it('scp and sftp take files there and back', async () => {
    const data = randomBytes(1024 * 1024);
    const file = await temporaryFile('data', data);
    const sha = createHash('sha256').update(data).digest('hex');
    for (const old of [[], ['-O']]) {
      expect((await files('scp', ...old, file, place('/tmp/sent'))).status).toBe(0);
      expect((await run('sha256sum </tmp/sent')).text).toContain(sha);
    }
    const back = join(file, '..', 'back');
    expect((await files('scp', place('/tmp/sent'), back)).status).toBe(0);
    expect((await readFile(back)).equals(data)).toBe(true);
    const batch = await temporaryFile(
      'batch',
      'mkdir /tmp/folder\nls -1 /tmp\nrename /tmp/sent /tmp/folder/sent\n',
    );
    const listed = await files('sftp', '-b', batch, `${login()}@127.0.0.1`);
    expect(listed).toMatchObject({ status: 0 });
    expect((await run('ls /tmp/folder; rm -r /tmp/folder')).text).toBe('sent\n');
  });

  it('-L leads to the loopback inside', async () => {
    const pid = (await run(echoServer(7007))).text.trim();
    const port = await freePort();
    const forwards = await openForwards(door(), port, {
      login: login(),
      args: ['-L', `${port}:localhost:7007`],
    });
    try {
      expect((await exchange(port, 'there and back')).toString()).toBe('there and back');
    } finally {
      await forwards.close();
      await run(`kill ${pid}`);
    }
  });

  it('-R comes out here', async () => {
    const port = await freePort();
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.end('from here')).listen(
      port,
      '127.0.0.1',
    );
    const args = ['-R', `7008:127.0.0.1:${port}`, '-o', 'ExitOnForwardFailure=yes'];
    const asked = await door().ssh('nc 127.0.0.1 7008 </dev/null', { login: login(), args });
    server.close();
    expect(asked).toMatchObject({ text: 'from here', stderr: '', status: 0 });
  });

  it('a unix socket inside leads here and is reached from here', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.end('from here'));
    const [here, port] = [await freePort(), await freePort()];
    server.listen(here, '127.0.0.1');
    const args = ['-R', `/tmp/made.sock:127.0.0.1:${here}`, '-L', `${port}:/tmp/made.sock`];
    const forwards = await openForwards(door(), port, { login: login(), args });
    try {
      // ssh listens here before the socket inside is confirmed.
      await expect.poll(async () => (await run('test -S /tmp/made.sock && echo made')).text).toBe('made\n');
      expect((await exchange(port, 'through')).toString()).toBe('from here');
    } finally {
      await forwards.close();
      server.close();
    }
  });
}
