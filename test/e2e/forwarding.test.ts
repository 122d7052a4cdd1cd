/** -L, -W and -D into a container, by the real ssh, to servers that listen on the container's loopback only. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import { docker, type TestContainer } from '../support/containers.ts';
import {
  exchange,
  open,
  openForwards,
  sidecarsOf,
  startSocketContainer,
  untilServing,
} from '../support/forward.ts';
import { freePort } from '../support/free-port.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';

const get = 'GET / HTTP/1.0\r\n\r\n';

let door: TestGateway;
let container: TestContainer;
let login: string;
beforeAll(async () => {
  [door, container] = await Promise.all([
    startTestGateway(),
    startSocketContainer(['--hostname', 'the-container']),
  ]);
  login = `rexec-${container.name}`;
});
afterAll(async () => {
  await container.remove();
  await door.stop();
});

const dashW = (destination: string, stdin = '', args: readonly string[] = []) =>
  door.ssh(undefined, { login, stdin, args: [...args, '-o', 'LogLevel=INFO', '-W', destination] });

describe('ssh -W', () => {
  it.each(['localhost:80', '127.0.0.1:80', 'LOCALHOST:80'])(
    '%s is the loopback of the container',
    async (to) => {
      expect((await dashW(to, get)).text).toContain('inside the-container');
    },
  );

  it('names are looked up as in the container', async () => {
    await container.sh('echo "127.0.0.1 only-in-here" >>/etc/hosts');
    expect((await dashW('only-in-here:80', get)).text).toContain('inside the-container');
    expect((await dashW('no-such-name.invalid:80')).stderr).toMatch(
      /there is no such name|cannot be looked up/,
    );
  });

  it('a closed port is "connection refused"', async () => {
    const outcome = await dashW('localhost:9');
    expect(outcome.stderr).toContain('connect failed: localhost:9 in');
    expect(outcome.stderr).toContain('connection refused');
    expect(outcome.status).not.toBe(0);
  });

  it('what a server says first is not lost', async () => {
    for (let n = 0; n < 10; n++) expect((await dashW('localhost:82')).text).toBe('220 ready\n');
  });
});

describe('ssh -L', () => {
  const withForward = async (to: string, use: (port: number) => Promise<void>) => {
    const port = await freePort();
    const forwards = await openForwards(door, port, { login, args: ['-L', `127.0.0.1:${port}:${to}`] });
    try {
      await use(port);
    } finally {
      await forwards.close();
    }
  };

  it('the end of what is sent goes through by itself: the answer still comes', () =>
    withForward('localhost:83', async (port) => {
      const sent = randomBytes(3_000_000);
      expect((await exchange(port, sent)).toString()).toBe('3000000\n');
    }));

  it('a closed port is refused within a second', () =>
    withForward('localhost:9', async (port) => {
      const tookMs: number[] = [];
      for (let n = 0; n < 4; n++) {
        const before = performance.now();
        expect(await exchange(port, '')).toHaveLength(0);
        tookMs.push(performance.now() - before);
      }
      // The best of them: any may have to wait for the processor, and the first for a sidecar.
      expect(Math.min(...tookMs)).toBeLessThan(1_000);
    }));

  it('40 MB go up and come back the same, beside one that is not read at all', () =>
    withForward('localhost:81', async (port) => {
      const stuck = await open(port);
      stuck.on('error', () => {});
      stuck.write(Buffer.alloc(20_000_000));
      const sent = randomBytes(40 * 1024 * 1024);
      expect((await exchange(port, sent)).equals(sent)).toBe(true);
      stuck.destroy();
    }));

  it('200 at a time, each with its own bytes', () =>
    withForward('localhost:81', async (port) => {
      const sent = Array.from({ length: 200 }, (_, n) => Buffer.from(`number ${n}`.repeat(50)));
      const came = await Promise.all(sent.map((each) => exchange(port, each)));
      expect(came.map((each) => each.toString())).toEqual(sent.map((each) => each.toString()));
    }));

  it('is in the list of sessions while it is open, and in the audit with its bytes afterwards', () =>
    withForward('localhost:81', async (port) => {
      const socket = await open(port);
      socket.write('12345');
      await new Promise((resolve) => socket.once('data', resolve));
      const listed = await door.ssh('session list');
      expect(listed.text).toContain('forward localhost:81');
      socket.end();
      const ended = () =>
        door
          .logged()
          .find(
            (line) =>
              line['audit'] === 'session-ended' && line['bytesIn'] === 5 && line['target'] === container.name,
          );
      expect(await until(async () => ended() !== undefined, 20_000)).toBe(true);
      expect(ended()).toMatchObject({ bytesOut: 5, end: { forward: 'closed' } });
    }));
});

describe('ssh -D', () => {
  it('a SOCKS client reaches the loopback of the container, also by name', async () => {
    const port = await freePort();
    const forwards = await openForwards(door, port, { login, args: ['-D', `127.0.0.1:${port}`] });
    for (const host of ['localhost', '127.0.0.1']) {
      const url = `http://${host}:80/`;
      const outcome = await runProgram('curl', [
        '-sS',
        '--noproxy',
        '',
        '--proxy',
        `socks5h://127.0.0.1:${port}`,
        url,
      ]);
      expect([outcome.stderr, outcome.text]).toEqual(['', 'inside the-container\n']);
    }
    await forwards.close();
  });
});

describe('by ProxyJump', () => {
  it('-W and -L of "ssh rexec-NAME" go into the container as well', async () => {
    const file = await sshConfigFile(door);
    const outcome = await viaConfig(file, ['-W', 'localhost:80', login], { stdin: get });
    expect(outcome.text).toContain('inside the-container');
  });

  it('from the lobby, "-W NAME:PORT" is that port of the container', async () => {
    const file = await sshConfigFile(door);
    for (const name of [container.name, login]) {
      const outcome = await viaConfig(file, ['-W', `${name}:80`, 'postern'], { stdin: get });
      expect(outcome.text).toContain('inside the-container');
    }
    const closed = await viaConfig(file, ['-o', 'LogLevel=INFO', '-W', `${login}:2375`, 'postern']);
    expect(closed.stderr).toContain('connection refused');
  });
});

describe('the sidecar', () => {
  it('is one for all, and nobody sees it', async () => {
    await Promise.all(Array.from({ length: 8 }, () => dashW('localhost:80', get)));
    expect(await sidecarsOf(container)).toHaveLength(1);
    expect((await door.ssh('ls')).text).not.toContain('sidecar');
    const [id] = await sidecarsOf(container);
    const refused = await door.ssh('true', { login: `rexec-${id?.slice(0, 12)}` });
    expect(refused.stderr).toContain('no target');
  });

  it('killed midway: what it carried ends, and the next forward works', async () => {
    const port = await freePort();
    const forwards = await openForwards(door, port, {
      login,
      args: ['-L', `127.0.0.1:${port}:localhost:81`],
    });
    const socket = await open(port);
    const ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    socket.write('x');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.resume();
    for (const id of await sidecarsOf(container)) await docker('kill', id);
    await ended;
    socket.destroy();
    expect((await exchange(port, 'again')).toString()).toBe('again');
    await forwards.close();
  });

  it('is renewed when its container restarts, and gone when that stops', async () => {
    const other = await startSocketContainer();
    const ask = () =>
      door.ssh(undefined, { login: `rexec-${other.name}`, stdin: get, args: ['-W', 'localhost:80'] });
    expect((await ask()).text).toContain('inside');
    await docker('restart', '-t', '0', other.id);
    await untilServing(other);
    expect((await ask()).text).toContain('inside');
    await docker('stop', '-t', '0', other.id);
    expect(await until(async () => (await sidecarsOf(other)).length === 0, 20_000)).toBe(true);
    const stopped = await door.ssh(undefined, {
      login: `rexec-${other.name}`,
      args: ['-o', 'LogLevel=INFO', '-W', 'localhost:80'],
    });
    expect(stopped.stderr).toContain('is exited');
    await other.remove();
  });

  it('no-sidecar-left: none outlives its gateway', async () => {
    const second = await startTestGateway();
    const other = await startSocketContainer();
    await second.ssh(undefined, { login: `rexec-${other.name}`, args: ['-W', 'localhost:82'] });
    expect(await sidecarsOf(other)).toHaveLength(1);
    await second.stop();
    expect(await until(async () => (await sidecarsOf(other)).length === 0, 20_000)).toBe(true);
    await other.remove();
  });
});
