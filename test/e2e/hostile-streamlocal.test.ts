/** Unix sockets that somebody should not reach or bind: refused, or inside the container and as the user they are. */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesOf, until } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startSocketContainer } from '../support/forward.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-client.ts';

let door: TestGateway;
let container: TestContainer;
let login: string;
const clients: Client[] = [];
beforeAll(async () => {
  [door, container] = await Promise.all([startTestGateway(), startSocketContainer()]);
  login = `rexec-${container.name}`;
});
afterAll(async () => {
  for (const client of clients) client.end();
  await container.remove();
  await door.stop();
});

async function connectAs(key: KeyPair = door.admin, username = login): Promise<Client> {
  const privateKey = await readFile(key.file);
  const client = await connectRaw(door.port, { username, privateKey, strictVendor: false });
  clients.push(client);
  return client;
}

/** What a channel to a socket comes to: the first bytes, or why there is none. */
const dial = (client: Client, path: string) =>
  new Promise<string>((resolve) => {
    client.openssh_forwardOutStreamLocal(path, (error, stream) => {
      if (error) return resolve(error.message);
      stream.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      stream.once('close', () => resolve('closed'));
    });
  });

const listen = (client: Client, path: string) =>
  new Promise<string>((resolve) => {
    client.openssh_forwardInStreamLocal(path, (error) => resolve(error ? 'refused' : 'listening'));
  });

async function keyWith(options: string): Promise<KeyPair> {
  const key = await makeKeyPair();
  expect((await door.ssh('ssh-key add', { stdin: `${options} ${key.publicKey}` })).status).toBe(0);
  return key;
}

const greeting = '220 ready\n';
const greet = '/srv/sockets/greet';

describe('paths', () => {
  it("..-paths: out of the container's root leads none", async () => {
    const client = await connectAs();
    expect(await dial(client, `/../../..${greet}`)).toBe(greeting);
    expect(await dial(client, '/../../../../var/run/postern-test/docker.sock')).toContain('no such socket');
    expect(await dial(client, '/proc/1/root/srv/sockets/greet')).toBe(greeting);
  });

  it.each([
    ['of nothing', ''],
    ['with a NUL at its start, an abstract socket', '\0abstract'],
    ['with a NUL inside', `${greet}\0.allowed`],
    ['longer than any', `/${'x/'.repeat(10_000)}`],
    ['of bytes that are no UTF-8', '/srv/\ufffd'],
  ])('a path %s is refused at the door', async (_what, path) => {
    const client = await connectAs();
    expect(await dial(client, path)).toContain('that is no destination of a forward');
    expect(await listen(client, path)).toBe('refused');
  });

  it("folders that are none, or not the user's, and names that are too long, are refused by the system", async () => {
    const client = await connectAs(door.admin, `app+${login}`);
    for (const path of [
      '/etc/s',
      '/nowhere/s',
      '/etc/passwd/s',
      '/root/s',
      `/tmp/${'n'.repeat(200)}`,
      '/tmp/',
      '/tmp/..',
    ])
      expect([path, await listen(client, path)]).toEqual([path, 'refused']);
    expect(await listen(client, '/tmp/fine')).toBe('listening');
  });
});

describe('who', () => {
  it.each(['restrict', 'no-port-forwarding', 'command="true"'])('not a key with %s', async (options) => {
    const client = await connectAs(await keyWith(options));
    expect(await dial(client, greet)).toMatch(/you may not forward into|only run its own forced command/);
    expect(await listen(client, '/tmp/refused')).toBe('refused');
  });

  it('permitopen= and permitlisten= are about ports alone, as with sshd', async () => {
    const key = await keyWith('permitopen="localhost:80",permitlisten="localhost:7000"');
    const client = await connectAs(key);
    expect(await dial(client, greet)).toBe(greeting);
    expect(await listen(client, '/tmp/by-permit')).toBe('listening');
  });

  it('not from the lobby, and not before one has joined', async () => {
    const client = await connectAs(door.admin, 'lobby');
    expect(await dial(client, greet)).toContain('there are no sockets here');
    expect(await listen(client, '/tmp/refused')).toBe('refused');
    const { code } = JSON.parse((await door.ssh('invite create --name=jana --json')).text);
    const applicant = await connectAs(await makeKeyPair(), `join+${code}`);
    expect(await dial(applicant, greet)).toContain('before you have joined');
    expect(await listen(applicant, '/tmp/refused')).toBe('refused');
  });

  it('not where a grant says --no-forwarding; and where access ends, what is open ends with it', async () => {
    const member = await door.addMember('kaya');
    await door.ssh(`share add ${container.name} kaya --no-forwarding`);
    expect(await dial(await connectAs(member), greet)).toContain('you may not forward into');
    await door.ssh(`share add ${container.name} kaya`);
    const client = await connectAs(member);
    expect(await listen(client, '/tmp/of-kaya')).toBe('listening');
    const ended = new Promise((resolve) => {
      client.openssh_forwardOutStreamLocal('/srv/sockets/echo', (_error, stream) =>
        stream.resume().once('close', resolve),
      );
    });
    await until(async () => (await door.ssh('session list')).text.includes('/srv/sockets/echo'), 20_000);
    expect((await door.ssh('session list')).text).toContain('listen /tmp/of-kaya');
    await door.ssh(`share remove ${container.name} kaya`);
    await ended;
    expect(await until(async () => !(await container.sh('ls /tmp')).includes('of-kaya'), 20_000)).toBe(true);
  });

  it("where the container has the host's processes there is no way in, and a sentence says so", async () => {
    const odd = await runContainer(images.busybox, ['--pid', 'host']);
    const client = await connectAs(door.admin, `rexec-${odd.name}`);
    expect(await dial(client, '/tmp/x')).toContain('nothing can be forwarded into this container');
    await odd.remove();
  });
});

it('stopped-resident: one that is silent for two seconds is waited for, since nothing else leads to a socket', async () => {
  const client = await connectAs();
  expect(await dial(client, greet)).toBe(greeting);
  const residents = await processesOf(container.id, 'resident');
  expect(residents.length).toBeGreaterThan(0);
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of residents) process.kill(pid, signal);
  };
  signalAll('SIGSTOP');
  try {
    await pause(500);
    const answer = dial(client, greet);
    await pause(2_000);
    signalAll('SIGCONT');
    expect(await answer).toBe(greeting);
  } finally {
    signalAll('SIGCONT');
  }
});

describe('how many', () => {
  it('hundreds-of-sockets: 256 are open, the rest is refused, and all is gone with the connection', async () => {
    const client = await connectAs();
    const several = (from: number) =>
      Promise.all(Array.from({ length: 150 }, (_, n) => listen(client, `/tmp/flood-${from + n}`)));
    const answers = [...(await several(0)), ...(await several(150))];
    const refusal = door.logged().findLast(({ reason }) => reason !== undefined);
    expect(
      answers.filter((answer) => answer === 'listening'),
      JSON.stringify(refusal),
    ).toHaveLength(256);
    expect(await dial(client, greet)).toContain('256 forwards are open');
    client.end();
    const left = async () => (await container.sh('ls /tmp')).includes('flood');
    expect(await until(async () => !(await left()), 30_000)).toBe(true);
  });
});
