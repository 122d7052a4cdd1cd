/** -R: listens in the container, comes out at the client; by the real ssh. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type KeyPair, makeKeyPair, spawnSsh } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';

let door: TestGateway;
let container: TestContainer;
let login: string;
let local: Server;
/** Where the client's own server listens: it sends back what it gets, after a greeting. */
let localPort: number;
beforeAll(async () => {
  [door, container] = await Promise.all([startTestGateway(), runContainer(images.busybox)]);
  login = `rexec-${container.name}`;
  local = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on('error', () => {});
    socket.write('hello ');
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => local.once('listening', resolve));
  ({ port: localPort } = local.address() as { port: number });
});
afterAll(async () => {
  local.close();
  await container.remove();
  await door.stop();
});

/** `ssh -N -R SPEC`, while `use` runs. */
async function withRemote<T>(
  specs: readonly string[],
  use: (stderr: () => string) => Promise<T>,
  key: KeyPair = door.admin,
): Promise<T> {
  const args = ['-v', '-N', '-o', 'ExitOnForwardFailure=yes', ...specs.flatMap((spec) => ['-R', spec])];
  const child = spawnSsh(door, undefined, { key, login, args: ['-o', 'LogLevel=VERBOSE', ...args] });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await until(
      async () => /remote forward (success|failure)/i.test(stderr) || child.exitCode !== null,
      20_000,
    );
    return await use(() => stderr);
  } finally {
    child.kill();
    await ended;
  }
}

const inside = (script: string) => container.sh(script);
const askInside = (port: number, host = '127.0.0.1') =>
  inside(`(echo ping; sleep 0.3) | nc -w 20 ${host} ${port}`).catch(() => 'refused');

describe('ssh -R', () => {
  it("listens on the container's loopback alone, and comes out at the client", async () => {
    await withRemote([`7001:127.0.0.1:${localPort}`], async () => {
      expect(await askInside(7001)).toBe('hello ping');
      const address = await inside('hostname -i');
      expect(await askInside(7001, address)).toBe('refused');
    });
    expect(await until(async () => (await askInside(7001)) === 'refused', 20_000)).toBe(true);
  });

  it('everywhere in the container when that is asked for', async () => {
    await withRemote([`*:7002:127.0.0.1:${localPort}`], async () => {
      expect(await askInside(7002, await inside('hostname -i'))).toBe('hello ping');
    });
  });

  it('port 0 is any free one, and the client is told which', async () => {
    await withRemote([`0:127.0.0.1:${localPort}`], async (stderr) => {
      await until(async () => /Allocated port \d+/.test(stderr()), 20_000);
      const port = Number(/Allocated port (\d+)/.exec(stderr())?.[1]);
      expect(await askInside(port)).toBe('hello ping');
    });
  });

  it('several at once, answered in order, and what is taken already is refused', async () => {
    const specs = [7003, 7004, 7005].map((port) => `${port}:127.0.0.1:${localPort}`);
    await withRemote(specs, async () => {
      await until(async () => (await askInside(7005)) !== 'refused', 20_000);
      for (const port of [7003, 7004, 7005]) expect(await askInside(port)).toBe('hello ping');
      const second = await door.ssh(undefined, {
        login,
        args: ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `7003:127.0.0.1:${localPort}`],
      });
      expect(second.status).toBe(255);
      expect(second.stderr).toContain('remote port forwarding failed');
    });
  });

  it('a program finds listening what was asked for before it, as with sshd', async () => {
    const other = await runContainer(images.busybox);
    const asked = await door.ssh('(echo ping; sleep 0.3) | nc -w 20 127.0.0.1 7008', {
      login: `rexec-${other.name}`,
      args: ['-R', `7008:127.0.0.1:${localPort}`],
    });
    expect(asked).toMatchObject({ text: 'hello ping\n', status: 0 });
    await other.remove();
  });

  it('20 MB come out whole, and go back', async () => {
    await withRemote([`7006:127.0.0.1:${localPort}`], async () => {
      const size = 20_000_000;
      const counted = await inside(
        `(head -c ${size} /dev/zero; sleep 3) | nc 127.0.0.1 7006 | head -c ${size + 6} | wc -c`,
      );
      expect(counted).toBe(String(size + 6));
    });
  });

  it('listens anew when the container has restarted', async () => {
    await withRemote([`7010:127.0.0.1:${localPort}`], async () => {
      await docker('restart', '-t', '0', container.id);
      expect(await until(async () => (await askInside(7010)) === 'hello ping', 30_000)).toBe(true);
    });
    expect(await until(async () => (await askInside(7010)) === 'refused', 20_000)).toBe(true);
  });

  it('cancelled over the ControlMaster, it listens no more while the connection goes on', async () => {
    const file = await sshConfigFile(door);
    const control = join(await mkdtemp(join(tmpdir(), 'cm-')), 's');
    const master = ['-o', `ControlPath=${control}`, '-o', 'ControlMaster=auto', '-o', 'ControlPersist=60'];
    await viaConfig(file, [...master, login, 'true']);
    const spec = `7007:127.0.0.1:${localPort}`;
    expect((await viaConfig(file, [...master, '-O', 'forward', '-R', spec, login])).status).toBe(0);
    expect(await askInside(7007)).toBe('hello ping');
    await viaConfig(file, [...master, '-O', 'cancel', '-R', spec, login]);
    expect(await until(async () => (await askInside(7007)) === 'refused', 20_000)).toBe(true);
    expect((await viaConfig(file, [...master, login, 'echo on'])).text).toBe('on\n');
    await viaConfig(file, [...master, '-O', 'exit', login]);
  });
});

describe('who may listen', () => {
  const refusedFor = async (options: string, spec: string, to = login) => {
    const key = await makeKeyPair();
    await door.ssh('ssh-key add', { stdin: `${options} ${key.publicKey}` });
    const args = ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `${spec}:127.0.0.1:${localPort}`];
    return door.ssh(undefined, { key, login: to, args });
  };

  it.each([
    'restrict',
    'no-port-forwarding',
    'permitlisten="7100"',
    'permitlisten="127.0.0.1:7101"',
    'command="id"',
  ])('a key with %s does not listen on localhost:7101', async (options) => {
    const outcome = await refusedFor(options, '7101');
    expect(outcome.stderr).toContain('remote port forwarding failed');
    expect(outcome.status).toBe(255);
  });

  it('permitlisten= lets in what it names', async () => {
    const key = await makeKeyPair();
    await door.ssh('ssh-key add', { stdin: `permitlisten="7102" ${key.publicKey}` });
    await withRemote(
      [`7102:127.0.0.1:${localPort}`],
      async () => expect(await askInside(7102)).toBe('hello ping'),
      key,
    );
  });

  it('listen-on-the-gateway: the lobby listens nowhere', async () => {
    const outcome = await refusedFor('', '7103', 'somebody');
    expect(outcome.stderr).toContain('remote port forwarding failed');
    expect(door.logged().some((line) => line['reason'] === 'listening-in-lobby')).toBe(true);
  });

  it('a grant that is withdrawn ends the listening', async () => {
    const grantee = `lis-${randomBytes(3).toString('hex')}`;
    const member = await door.addMember(grantee);
    await door.ssh(`share add ${container.name} ${grantee}`);
    await withRemote(
      [`7104:127.0.0.1:${localPort}`],
      async () => {
        expect(await askInside(7104)).toBe('hello ping');
        expect((await door.ssh('session list')).text).toContain('listen localhost:7104');
        await door.ssh(`share remove ${container.name} ${grantee}`);
        expect(await until(async () => (await askInside(7104)) === 'refused', 5_000)).toBe(true);
      },
      member,
    );
  });

  it('a killed client leaves nobody listening', async () => {
    const args = ['-N', '-R', `7105:127.0.0.1:${localPort}`];
    const child = spawnSsh(door, undefined, { key: door.admin, login, args });
    expect(await until(async () => (await askInside(7105)) === 'hello ping', 30_000)).toBe(true);
    child.kill('SIGKILL');
    expect(await until(async () => (await askInside(7105)) === 'refused', 20_000)).toBe(true);
    expect(await docker('inspect', '-f', '{{.State.Running}}', container.id)).toBe('true');
  });
});
