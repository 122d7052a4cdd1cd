/** A forwarded agent is worth as much as the keys in it: who tries to get at somebody's, or to wear it out. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import { docker, type TestContainer } from '../support/containers.ts';
import { startSocketContainer } from '../support/forward.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { serve, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshOptions, spawnSsh } from '../support/ssh-client.ts';

let door: TestGateway;
let container: TestContainer;
let login: string;
let folder: string;
/** A client's agent without keys, which counts who comes. */
let agentPath: string;
const connections = { open: 0, most: 0, all: 0 };
const agent = createServer((socket: Socket) => {
  connections.all++;
  connections.most = Math.max(connections.most, ++connections.open);
  socket.on('error', () => {}).once('close', () => connections.open--);
  // SSH_AGENT_IDENTITIES_ANSWER: none.
  socket.on('data', () => socket.write(Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0])));
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-hostile-agent-'));
  agentPath = join(folder, 'agent');
  [door, container] = await Promise.all([startTestGateway(), startSocketContainer()]);
  await new Promise<void>((resolve) => agent.listen(agentPath, resolve));
  login = `rexec-${container.name}`;
});
afterAll(async () => {
  agent.close();
  await container.remove();
  await door.stop();
  await rm(folder, { recursive: true, force: true });
});

const asking = (options: SshOptions = {}): SshOptions => ({
  key: door.admin,
  login,
  ...options,
  env: { SSH_AUTH_SOCK: agentPath },
  args: ['-A', ...(options.args ?? [])],
});
const folders = () => container.sh('ls -d /tmp/ssh-* 2>/dev/null || true');
const noneLeft = () => until(async () => (await folders()) === '', 20_000);
/**
 * What a script prints that connects to a socket as often as it is told, and goes when each is answered; or when each has
 * been closed from the other side. There is a file as soon as each is answered.
 */
const connectTo = (path: string, times: number, user = '0', goes: 'answered' | 'closed' = 'answered') =>
  docker('exec', '-u', user, container.id, 'node', '-e', connectScript, path, String(times), goes);
const connectScript = `const [, path, times, goes] = process.argv;
let came = 0, failed = 0, closed = 0;
const end = () => { console.log(came + ' answered'); process.exit(0); };
const count = () => { if ((goes === 'closed' ? closed : came + failed) === Number(times)) end(); };
for (let n = 0; n < Number(times); n++) require('net').connect(path)
  .once('data', () => {
    if (++came === Number(times)) require('fs').writeFileSync('/tmp/all-answered', '');
    count();
  })
  .on('error', (error) => { failed++; console.log(error.code); count(); })
  .on('close', () => { closed++; count(); })
  .write(Buffer.from([0, 0, 0, 1, 11]));
setTimeout(end, 60_000);`;

/** A session with an agent that runs until `use` is over; its SSH_AUTH_SOCK. */
async function withSession<T>(use: (path: string) => Promise<T>, options: SshOptions = {}): Promise<T> {
  const ssh = spawnSsh(door, 'echo $SSH_AUTH_SOCK; cat', asking(options));
  const ended = new Promise((resolve) => ssh.once('exit', resolve));
  const path = await new Promise<string>((resolve) =>
    ssh.stdout?.once('data', (text) => resolve(String(text).trim())),
  );
  try {
    return await use(path);
  } finally {
    ssh.kill('SIGKILL');
    await ended;
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

async function keyWith(options: string): Promise<KeyPair> {
  const key = await makeKeyPair();
  expect((await door.ssh('ssh-key add', { stdin: `${options} ${key.publicKey}` })).status).toBe(0);
  return key;
}

describe("somebody else's agent", () => {
  it('agent-other-uid: another user of the container cannot connect, nor see that it is there', () =>
    withSession(
      async (path) => {
        expect(await connectTo(path, 1, '1500')).toBe('EACCES\n0 answered');
        expect(
          await docker('exec', '-u', '1500', container.id, 'sh', '-c', `ls ${path} 2>&1 || true`),
        ).toContain('Permission denied');
        expect(await connectTo(path, 1, '1000')).toBe('1 answered');
      },
      { login: `app+${login}` },
    ));

  it('agent-squatting: a folder or link that somebody planted at the known place is never used', async () => {
    const control = join(folder, 'cm');
    const master = ['-o', `ControlPath=${control}`, '-o', 'ControlMaster=auto', '-o', 'ControlPersist=20'];
    const socket = async () => (await door.ssh('echo $SSH_AUTH_SOCK', asking({ args: master }))).text.trim();
    const known = (await socket()).replace(/\/agent.*/, '');
    await noneLeft();
    for (const plant of [`mkdir -m 777 ${known}`, `mkdir -p /tmp/trap; ln -s /tmp/trap ${known}`]) {
      await docker('exec', '-u', '1500', container.id, 'sh', '-c', plant);
      const path = await socket();
      expect(path).toMatch(/^\/tmp\/ssh-/);
      expect(path.startsWith(known)).toBe(false);
      expect(await container.sh('ls -A /tmp/trap 2>/dev/null || true')).toBe('');
      await container.sh(`rm -rf ${known}`);
    }
    await door.ssh(undefined, asking({ args: [...master, '-O', 'exit'] }));
    await container.sh('rm -rf /tmp/trap');
    expect(await noneLeft()).toBe(true);
  });
});

describe('who lends no agent', () => {
  it('agent-never-asked: gets no socket, no variable, no channel', async () => {
    const before = connections.all;
    const outcome = await door.ssh('echo "<$SSH_AUTH_SOCK>"; ls -d /tmp/ssh-* 2>/dev/null', { login });
    expect(outcome.text).toBe('<>\n');
    const sent = await door.ssh('echo "<$SSH_AUTH_SOCK>"', {
      login,
      env: { SSH_AUTH_SOCK: agentPath },
      args: ['-o', 'IdentityAgent=none', '-o', 'SendEnv=SSH_AUTH_SOCK'],
    });
    expect(sent.text).toBe('<>\n');
    expect(connections.all).toBe(before);
  });

  it.each(['restrict', 'no-agent-forwarding'])(
    'a key with %s goes on without, as with sshd',
    async (option) => {
      const outcome = await door.ssh('echo "<$SSH_AUTH_SOCK>"', asking({ key: await keyWith(option) }));
      expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['<>\n', '', 0]);
      expect(
        door.logged().some((line) => line['what'] === 'agent' && line['reason'] === 'agent-refused'),
      ).toBe(true);
    },
  );

  it('lobby-passes-it-on: what is lent to the lobby is not there for programs in a container that it leads to', async () => {
    const { login: _, ...lent } = asking();
    const outcome = await door.ssh(`ssh ${container.name} echo "<$SSH_AUTH_SOCK>"`, lent);
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['<>\n', '', 0]);
  });
});

describe('how much', () => {
  it('agent-flood: of hundreds of connections at once a few reach the client, and the session goes on', async () => {
    connections.most = 0;
    await withSession(async (path) => {
      connections.all = 0;
      const flood = connectTo(path, 400, '0', 'closed').catch(() => {});
      await until(async () => connections.most >= 32, 20_000);
      // More would come now.
      await pause(1_000);
      await container.killProgram('node -e');
      await flood;
      expect(connections.most).toBe(32);
      expect(connections.all).toBeLessThan(64);
      expect(await until(async () => connections.open === 0, 20_000)).toBe(true);
      expect(await connectTo(path, 1)).toBe('1 answered');
    });
  });
});

describe('the end', () => {
  it('agent-after-the-end: killed at once, a client leaves neither folder nor channel behind', async () => {
    const { held } = await withSession(async (path) => {
      await container.sh('rm -f /tmp/all-answered');
      const holding = connectTo(path, 3, '0', 'closed');
      const answered = async () => (await container.sh('ls /tmp')).includes('all-answered');
      expect(await until(answered, 20_000)).toBe(true);
      expect(connections.open).toBe(3);
      return { held: holding };
    });
    expect(await held).toBe('3 answered');
    expect(await noneLeft()).toBe(true);
    expect(await until(async () => connections.open === 0, 20_000)).toBe(true);
  });

  it('agent-session-ended: what still holds the socket when the session has ended is cut off', async () => {
    const script = `require('net').connect(process.env.SSH_AUTH_SOCK).on('data', () => console.log('in'))
      .on('close', () => require('fs').writeFileSync('/tmp/cut', '')).write(Buffer.from([0, 0, 0, 1, 11]))`;
    const held = `trap '' HUP; (setsid node -e "$0" & ) | head -1`;
    const outcome = await door.ssh(`sh -c ${quoted(held)} ${quoted(script)}`, asking());
    expect(outcome.text).toBe('in\n');
    expect(await until(async () => (await container.sh('ls /tmp')).includes('cut'), 20_000)).toBe(true);
  });

  it('gateway-killed: it leaves neither folder nor socket behind', async () => {
    const data = await mkdtemp(join(tmpdir(), 'postern-killed-'));
    const served = await serve(data, [`--admin-key=${door.admin.file}.pub`]);
    const killed = await targetIn(data, served.port);
    const args = ['-R', `/tmp/of-the-killed:${agentPath}`];
    const ssh = spawnSsh(killed, 'echo $SSH_AUTH_SOCK; cat', asking({ args }));
    await new Promise((resolve) => ssh.stdout?.once('data', resolve));
    const made = async () => [await folders(), (await container.sh('ls /tmp')).includes('of-the-killed')];
    expect(await made()).toEqual([expect.stringMatching(/^\/tmp\/ssh-\w+$/), true]);
    served.child.kill('SIGKILL');
    expect(await until(async () => String(await made()) === ',false', 20_000)).toBe(true);
    ssh.kill('SIGKILL');
    await rm(data, { recursive: true, force: true });
  });

  it('revoked-agent: it goes when the access does', async () => {
    const member = await door.addMember('ines');
    await door.ssh(`share add ${container.name} ines`);
    await withSession(
      async (path) => {
        expect(await connectTo(path, 1)).toBe('1 answered');
        await door.ssh(`share remove ${container.name} ines`);
        expect(await noneLeft()).toBe(true);
      },
      { key: member },
    );
  });
});
