/** Unix sockets both ways, by the real ssh: -L to a socket in the container, -R from one. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { exchange, open, openForwards, startSocketContainer } from '../support/forward.ts';
import { freePort } from '../support/free-port.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';
import { askSocket, withForward } from '../support/streamlocal.ts';

let door: TestGateway;
let folder: string;
/** Debian with servers, busybox, and one with nothing but a few programs. */
let containers: Readonly<Record<'debian' | 'busybox' | 'noshell', TestContainer>>;
/** The client's own server: a greeting, then what it gets. */
let local: Server;
let localPort: number;
let localSocket: string;

const echo = (socket: Socket) => {
  socket.on('error', () => {});
  socket.write('hello ');
  socket.pipe(socket);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-sockets-'));
  localSocket = join(folder, 'local.sock');
  const [gateway, debian, busybox, noshell] = await Promise.all([
    startTestGateway(),
    startSocketContainer(),
    runContainer(images.busybox),
    runContainer(images.noshell, [], ['/bin/sleep', '100000']),
  ]);
  door = gateway;
  containers = { debian, busybox, noshell };
  local = createServer({ allowHalfOpen: true }, echo).listen(0, '127.0.0.1');
  const alsoThere = createServer({ allowHalfOpen: true }, echo).listen(localSocket);
  local.once('close', () => alsoThere.close());
  await new Promise((resolve) => local.once('listening', resolve));
  ({ port: localPort } = local.address() as { port: number });
});
afterAll(async () => {
  local.close();
  await Promise.all(Object.values(containers).map((each) => each.remove()));
  await door.stop();
  await rm(folder, { recursive: true, force: true });
});

type Image = keyof typeof containers;
const login = (image: Image = 'debian') => `rexec-${containers[image].name}`;
let made = 0;
const freshPath = () => join(folder, `${++made}.sock`);

/** Sends to a socket in a container, through -L of a socket here. `tookMs`: the best of so many times. */
async function through(remote: string, send: string | Buffer = '', to = login(), times = 1) {
  const path = freshPath();
  const options = { login: to, args: ['-L', `${path}:${remote}`] };
  return withForward(door, path, options, async (stderr) => {
    let came: Buffer = Buffer.alloc(0);
    let tookMs = Number.POSITIVE_INFINITY;
    for (let time = 0; time < times; time++) {
      const startedAt = performance.now();
      came = await askSocket(path, send);
      tookMs = Math.min(tookMs, performance.now() - startedAt);
    }
    if (came.length === 0) await until(async () => stderr().includes('open failed'), 10_000);
    return { came, tookMs, stderr: stderr() };
  });
}

describe('ssh -L to a socket in the container', () => {
  it('from a socket: what the server says first is not lost, and the end of what is sent passes by itself', async () => {
    const path = freshPath();
    const options = { login: login(), args: ['-L', `${path}:/srv/sockets/greet`] };
    await withForward(door, path, options, async () => {
      for (let n = 0; n < 10; n++) expect((await askSocket(path)).toString()).toBe('220 ready\n');
    });
    const sent = randomBytes(3_000_000);
    expect((await through('/srv/sockets/count', sent)).came.toString()).toBe('3000000\n');
  });

  it('from a port: 10 MB go up and come back the same, beside one that is not read at all', async () => {
    const [echoPort, stuckPort] = [await freePort(), await freePort()];
    const args = ['-L', `127.0.0.1:${stuckPort}:/srv/sockets/stuck`, '-L', `${echoPort}:/srv/sockets/echo`];
    const forwards = await openForwards(door, echoPort, { login: login(), args });
    const stuck = await open(stuckPort);
    stuck.on('error', () => {});
    stuck.write(Buffer.alloc(20_000_000));
    const sent = randomBytes(10 * 1024 * 1024);
    expect((await exchange(echoPort, sent)).equals(sent)).toBe(true);
    stuck.destroy();
    await forwards.close();
  });

  it('by ProxyJump, too', async () => {
    const path = freshPath();
    const config = await sshConfigFile(door);
    const options = { config, login: login(), args: ['-L', `${path}:/srv/sockets/greet`] };
    const came = await withForward(door, path, options, () => askSocket(path));
    expect(came.toString()).toBe('220 ready\n');
  });

  it.each([
    ['/srv/sockets/none', 'there is no such socket'],
    ['/srv/dead.sock', 'connection refused'],
    ['/etc/passwd', 'connection refused'],
    ['/srv/sockets/echo/deeper', 'there is no such socket'],
  ])('%s is refused within a second', async (path, reason) => {
    await containers.debian.sh(
      "test -e /srv/dead.sock || node -e \"require('net').createServer().listen('/srv/dead.sock',()=>process.kill(process.pid,9))\" || true",
    );
    await through('/srv/sockets/greet');
    const { came, tookMs, stderr } = await through(path, 'x', login(), 3);
    expect(came.length).toBe(0);
    expect(tookMs).toBeLessThan(1_000);
    expect(stderr).toContain('connect failed');
    expect(stderr).toContain(reason);
  });

  it('a path is from / where it is relative, and may be longer than the system call takes', async () => {
    expect((await through('./srv/sockets/greet')).came.toString()).toBe('220 ready\n');
    const long = `/srv/${'long-name/'.repeat(20)}`;
    await containers.debian.sh(`mkdir -p ${long} && ln -s /srv/sockets ${long}in`);
    // OpenSSH's own client has no room for it.
    const client = await connectRaw(door.port, {
      username: login(),
      privateKey: await readFile(door.admin.file),
      strictVendor: false,
    });
    const text = await new Promise((resolve, reject) => {
      client.openssh_forwardOutStreamLocal(`${long}in/greet`, (error, stream) => {
        if (error) return reject(error);
        stream.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      });
    });
    expect(text).toBe('220 ready\n');
    await new Promise<void>((resolve, reject) => {
      client.openssh_forwardInStreamLocal(`${long}new`, (error) => (error ? reject(error) : resolve()));
    });
    expect(await containers.debian.sh(`ls ${long}`)).toBe('in\nnew');
    client.end();
    expect(await until(async () => (await containers.debian.sh(`ls ${long}`)) === 'in', 20_000)).toBe(true);
  });

  it("is made with the user's own rights", async () => {
    await containers.debian.sh('mkdir -p -m 700 /srv/private && ln /srv/sockets/greet /srv/private/greet');
    expect((await through('/srv/private/greet')).came.toString()).toBe('220 ready\n');
    const asApp = await through('/srv/private/greet', '', `app+${login()}`);
    expect(asApp.came.length).toBe(0);
    expect(asApp.stderr).toContain('permission denied');
  });
});

describe('ssh -R from a socket in the container', () => {
  const remote = (spec: string, image: Image = 'debian') => ({ login: login(image), args: ['-R', spec] });

  it.each(['debian', 'busybox', 'noshell'] as const)(
    'in %s: to a socket and to a port of the client, and nothing is left behind',
    async (image) => {
      for (const to of [localSocket, `127.0.0.1:${localPort}`]) {
        await withForward(door, undefined, remote(`/postern.sock:${to}`, image), async () => {
          const { came } = await through('/postern.sock', 'ping', login(image));
          expect(came.toString()).toBe('hello ping');
        });
        const gone = async () =>
          (await through('/postern.sock', '', login(image))).stderr.includes('there is no such socket');
        expect(await until(gone, 20_000)).toBe(true);
      }
    },
  );

  it('by ProxyJump: for its user alone', async () => {
    const config = await sshConfigFile(door);
    const args = ['-l', 'app', '-R', `/home/app/s:${localSocket}`];
    await withForward(door, undefined, { config, login: login(), args }, async () => {
      expect((await through('/home/app/s', 'ping')).came.toString()).toBe('hello ping');
      expect(await containers.debian.sh('ls -l /home/app')).toMatch(/^srw------- 1 app app .* s$/m);
    });
    const gone = async () => (await containers.debian.sh('ls /home/app')) === '';
    expect(await until(gone, 20_000)).toBe(true);
  });

  it.each([
    ['a file', 'touch /srv/taken'],
    [
      'a socket',
      "node -e \"require('net').createServer().listen('/srv/taken',()=>process.kill(process.pid,9))\"",
    ],
    ['a link that leads nowhere', 'ln -s /srv/planted /srv/taken'],
  ])('what exists is neither replaced nor followed: %s', async (_what, make) => {
    await containers.debian.sh(`rm -f /srv/taken; ${make} || true`);
    const before = await containers.debian.sh('ls -l /srv/taken');
    const outcome = await door.ssh(undefined, {
      ...remote(`/srv/taken:${localSocket}`),
      args: ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `/srv/taken:${localSocket}`],
    });
    expect(outcome.stderr).toMatch(/remote port forwarding failed/i);
    expect(await containers.debian.sh('ls -l /srv/taken; ls /srv')).toBe(
      `${before}\n${await containers.debian.sh('ls /srv')}`,
    );
    expect(await containers.debian.sh('ls /srv')).not.toContain('planted');
  });

  it('5 MB come out whole, and go back', async () => {
    await withForward(door, undefined, remote(`/srv/big:${localSocket}`), async () => {
      const sent = randomBytes(5_000_000);
      const { came } = await through('/srv/big', sent);
      expect(came.subarray(6).equals(sent)).toBe(true);
    });
  });

  it('cancelled over the ControlMaster, it is gone while the connection goes on', async () => {
    const file = await sshConfigFile(door);
    const master = [
      '-o',
      `ControlPath=${freshPath()}`,
      '-o',
      'ControlMaster=auto',
      '-o',
      'ControlPersist=20',
    ];
    await viaConfig(file, [...master, login(), 'true']);
    const spec = `/srv/cancelled:${localSocket}`;
    expect((await viaConfig(file, [...master, '-O', 'forward', '-R', spec, login()])).status).toBe(0);
    expect((await through('/srv/cancelled', 'ping')).came.toString()).toBe('hello ping');
    await viaConfig(file, [...master, '-O', 'cancel', '-R', spec, login()]);
    const gone = async () => !(await containers.debian.sh('ls /srv')).includes('cancelled');
    expect(await until(gone, 20_000)).toBe(true);
    expect((await viaConfig(file, [...master, login(), 'echo on'])).text).toBe('on\n');
    await viaConfig(file, [...master, '-O', 'exit', login()]);
  });
});
