/** Forwards that somebody should not have: refused, or led into the container and nowhere else. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import {
  exchange,
  msFromCommandToEnd,
  open,
  openForwards,
  sidecarsOf,
  startSocketContainer,
} from '../support/forward.ts';
import { freePort } from '../support/free-port.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';

const get = 'GET / HTTP/1.0\r\n\r\n';

let door: TestGateway;
let container: TestContainer;
let other: TestContainer;
let login: string;
beforeAll(async () => {
  [door, container, other] = await Promise.all([
    startTestGateway(),
    startSocketContainer(),
    runContainer(images.noshell, [], ['/bin/sleep', '100000']),
  ]);
  login = `rexec-${container.name}`;
});
afterAll(async () => {
  await Promise.all([container.remove(), other.remove()]);
  await door.stop();
});

const dashW = (destination: string, key: KeyPair, to = login) =>
  door.ssh(undefined, { key, login: to, stdin: get, args: ['-o', 'LogLevel=INFO', '-W', destination] });

async function keyWith(options: string): Promise<KeyPair> {
  const key = await makeKeyPair();
  expect((await door.ssh('ssh-key add', { stdin: `${options} ${key.publicKey}` })).status).toBe(0);
  return key;
}

describe('where a forward leads', () => {
  it("forward-to-the-gateways-loopback: it is the container's loopback, in every notation", async () => {
    const server = createServer((socket) => socket.end('THE GATEWAY')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const hosts = [
      'localhost',
      '127.0.0.1',
      '127.1',
      '0.0.0.0',
      '0',
      '2130706433',
      '::1',
      '::ffff:127.0.0.1',
    ];
    for (const host of hosts) {
      const outcome = await dashW(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, door.admin);
      expect([host, outcome.text]).toEqual([host, '']);
      expect(outcome.stderr).toContain('connect failed');
    }
    server.close();
  });

  it('an image without a shell has its loopback, too', async () => {
    const outcome = await dashW('localhost:80', door.admin, `rexec-${other.name}`);
    expect(outcome.stderr).toContain('connection refused');
  });

  it('open-proxy: from the lobby no other address can be had, nor by a name that only looks like a target', async () => {
    for (const to of [
      'example.com:80',
      '127.0.0.1:80',
      'localhost:80',
      '169.254.169.254:80',
      `${container.name}.evil:80`,
    ]) {
      const outcome = await dashW(to, door.admin, 'somebody');
      expect(outcome.text).toBe('');
      expect(outcome.stderr).toContain('administratively prohibited');
    }
  });

  it('odd destinations are refused before anything is asked', async () => {
    const client = await connectRaw(door.port, {
      username: login,
      privateKey: await readFile(door.admin.file),
    });
    for (const [host, port] of [
      ['a b', 80],
      ['host\r\nx: y', 80],
      ['x'.repeat(5_000), 80],
      ['localhost', 0],
      ['localhost', 70_000],
      ['localhost?port=22', 80],
    ] as const) {
      const error = await forwardOut(client, host, port).catch((failed: Error) => failed);
      expect(String(error)).toContain('no destination of a forward');
    }
    client.end();
  });
});

describe('who may', () => {
  it('forward-without-a-grant: a member reaches no container that is not theirs, by any route', async () => {
    const member = await door.addMember('mallory');
    const direct = await dashW('localhost:80', member);
    expect(direct.stderr).toContain('no target');
    const named = await dashW(`${container.name}:80`, member, 'somebody');
    expect(named.stderr).toContain('no target');
    expect(direct.text + named.text).toBe('');
  });

  it('a grant without forwarding allows sessions only; one that is withdrawn ends what is open', async () => {
    const member = await door.addMember('gina');
    await door.ssh(`share add ${container.name} gina --no-forwarding`);
    expect((await dashW('localhost:80', member)).stderr).toContain('you may not forward into');
    await door.ssh(`share add ${container.name} gina`);
    const port = await freePort();
    const args = ['-L', `127.0.0.1:${port}:localhost:81`];
    const forwards = await openForwards(door, port, { login, key: member, args });
    const socket = await open(port);
    socket.resume().on('error', () => {});
    const ended = once(socket, 'close');
    socket.on('end', () => socket.destroy());
    socket.write('x');
    await new Promise((resolve) => socket.once('data', resolve));
    await door.ssh(`share remove ${container.name} gina`);
    await ended;
    await expect.poll(() => msFromCommandToEnd(door, 'share remove', 'gina')).toBeLessThan(1_000);
    expect((await exchange(port, 'x')).length).toBe(0);
    await forwards.close();
  });

  it.each([
    ['restrict', 'you may not forward into'],
    ['no-port-forwarding', 'you may not forward into'],
    ['permitopen="localhost:81"', 'may be forwarded to localhost:81 only'],
    ['permitopen="127.0.0.1:80"', 'may be forwarded to 127.0.0.1:80 only'],
    ['command="true"', 'may only run its own forced command'],
  ])('a key with %s does not forward to localhost:80', async (option, sentence) => {
    const outcome = await dashW('localhost:80', await keyWith(option));
    expect(outcome.text).toBe('');
    expect(outcome.stderr).toContain(sentence);
    expect(outcome.stderr).toContain('administratively prohibited');
  });

  it('a key with permitopen= goes where that says', async () => {
    expect((await dashW('localhost:80', await keyWith('permitopen="localhost:80"'))).text).toContain(
      'inside',
    );
  });

  it("permitopen-by-jump: the outer key's list holds for what the inner key opens", async () => {
    const outer = await keyWith(`permitopen="${login}:22"`);
    const file = await sshConfigFile(door, door.admin);
    const text = await readFile(file, 'utf8');
    const [jump, rest] = text.split(/(?=^Host rexec-)/m) as [string, string];
    await writeFile(file, jump.replaceAll(door.admin.file, outer.file) + rest);
    expect((await viaConfig(file, [login, 'echo in'])).text).toBe('in\n');
    const outcome = await viaConfig(file, ['-o', 'LogLevel=INFO', '-W', 'localhost:80', login], {
      stdin: get,
    });
    expect(outcome.text).toBe('');
    expect(outcome.stderr).toContain('may be forwarded to');
  });

  it("on the host's network, also through another container's, forwarding is for admins", async () => {
    const host = await runContainer(images.busybox, ['--network', 'host', '--label', 'rexec.owner=hana']);
    const inside = ['--network', `container:${host.id}`, '--label', 'rexec.owner=hana'];
    const behind = await runContainer(images.busybox, inside);
    const member = await door.addMember('hana');
    for (const { name } of [host, behind]) {
      expect((await dashW('localhost:9', member, `rexec-${name}`)).stderr).toContain(
        'you may not forward into',
      );
      expect((await dashW('localhost:9', door.admin, `rexec-${name}`)).stderr).toContain(
        'connection refused',
      );
    }
    await Promise.all([host.remove(), behind.remove()]);
  });
});

describe('how many', () => {
  it('ten-thousand-opens: 256 are open, the rest is refused, and the gateway goes on', async () => {
    const client = await connectRaw(door.port, {
      username: login,
      privateKey: await readFile(door.admin.file),
    });
    let opened = 0;
    let refused = 0;
    const attempts = Array.from({ length: 10_000 }, () =>
      forwardOut(client, 'localhost', 81).then(
        () => opened++,
        () => refused++,
      ),
    );
    await Promise.all(attempts);
    expect([opened, refused]).toEqual([256, 9_744]);
    expect((await dashW('localhost:80', door.admin)).text).toContain('inside');
    client.end();
    const listed = async () => !(await door.ssh('session list')).text.includes('forward ');
    expect(await until(listed, 20_000)).toBe(true);
    expect((await dashW('localhost:80', door.admin)).text).toContain('inside');
  });
});

describe('the sidecar', () => {
  it('stuck-forwards: 500 that are full and that nobody reads leave it alive, and room for others', async () => {
    await dashW('localhost:80', door.admin);
    const [before] = await sidecarsOf(container);
    const privateKey = await readFile(door.admin.file);
    const clients = await Promise.all(
      [0, 1].map(() => connectRaw(door.port, { username: login, privateKey })),
    );
    for (const client of clients) {
      for (let n = 0; n < 250; n++) {
        await expect.poll(() => openFull(client), { timeout: 20_000 }).toBe('opened');
      }
    }
    await pause(2_000);
    expect((await dashW('localhost:80', door.admin)).text).toContain('inside');
    expect(await sidecarsOf(container)).toEqual([before]);
    for (const client of clients) client.end();
  });

  it('has no capabilities, no user, nothing to write to, and little memory', async () => {
    await dashW('localhost:80', door.admin);
    const [id] = await sidecarsOf(container);
    const [details] = JSON.parse(await docker('inspect', id as string));
    expect(details.Config.User).toBe('65534:65534');
    expect(details.HostConfig).toMatchObject({
      CapDrop: ['ALL'],
      ReadonlyRootfs: true,
      AutoRemove: true,
      SecurityOpt: ['no-new-privileges'],
      Memory: 384 * 1024 * 1024,
    });
  });
});

/** `full` where forwards of tests before, whose clients have gone, are not all closed yet. */
async function openFull(client: Client): Promise<'opened' | 'full'> {
  try {
    (await openForward(client, 'localhost', 84)).write(Buffer.alloc(1024 * 1024));
    return 'opened';
  } catch (error) {
    if ((error as Error).message.includes('open at once already')) return 'full';
    throw error;
  }
}

const forwardOut = async (client: Client, host: string, port: number): Promise<void> =>
  void (await openForward(client, host, port)).resume();

/** A direct-tcpip channel, whatever is asked for. */
const openForward = (client: Client, host: string, port: number) =>
  new Promise<ClientChannel>((resolve, reject) => {
    client.forwardOut('127.0.0.1', 1, host, port, (error, stream) => {
      if (error) reject(error);
      else resolve(stream.on('error', () => {}));
    });
  });
