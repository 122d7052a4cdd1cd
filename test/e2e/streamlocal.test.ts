/** Unix sockets both ways, by the real ssh: -L to a socket in the container, -R from one. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startSocketContainer } from '../support/forward.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
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

const login = (image: keyof typeof containers = 'debian') => `rexec-${containers[image].name}`;
let made = 0;
const freshPath = () => join(folder, `${++made}.sock`);

/** Sends to a socket in a container, through -L of this machine's `ssh`. */
async function through(remote: string, send: string | Buffer = '', to = login()): Promise<Buffer> {
  const path = freshPath();
  return withForward(door, path, { login: to, args: ['-L', `${path}:${remote}`] }, () =>
    askSocket(path, send),
  );
}

describe('ssh -L to a socket in the container', () => {
  it('from a socket: what the server says first is not lost, and the end of what is sent passes by itself', async () => {
    const path = freshPath();
    await withForward(
      door,
      path,
      { login: login(), args: ['-L', `${path}:/srv/sockets/greet`] },
      async () => {
        for (let n = 0; n < 10; n++) expect((await askSocket(path)).toString()).toBe('220 ready\n');
      },
    );
    const sent = randomBytes(3_000_000);
    expect((await through('/srv/sockets/count', sent)).toString()).toBe('3000000\n');
  });
});
describe('ssh -R from a socket in the container', () => {
  it('first', async () => {
    await withForward(
      door,
      undefined,
      { login: login('busybox'), args: ['-R', `/tmp/a.sock:${localSocket}`] },
      async () => {
        console.log(await containers.busybox.sh('ls -la /tmp'));
        console.log((await through('/tmp/a.sock', 'x'.repeat(10), login('busybox'))).toString());
      },
    );
    console.log(
      existsSync('/x'),
      localPort,
      await until(async () => !(await containers.busybox.sh('ls /tmp')).includes('a.sock'), 5_000),
    );
  });
});
