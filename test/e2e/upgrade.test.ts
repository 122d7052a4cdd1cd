/**
 * An upgrade between two built versions, back and forth, while people log in without a pause: nobody is refused, and what was
 * open before the first restart is open after the last. POSTERN_RESTARTS and POSTERN_LOGINS (`npm run soak`) make it longer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildVersion, copyVersion } from '../support/built-version.ts';
import type { TestContainer } from '../support/containers.ts';
import { engineHost } from '../support/engine.ts';
import type { Api } from '../support/http-api.ts';
import { createLightClient } from '../support/light-client.ts';
import { supervisorsOf, until } from '../support/processes.ts';
import { lines, openRaw, requestHead } from '../support/raw-http.ts';
import { main, type Served, serveArgs, targetIn } from '../support/served.ts';
import {
  type KeyPair,
  makeKeyPair,
  runProgram,
  type SshTarget,
  spawnSsh,
  ssh,
} from '../support/ssh-client.ts';
import { startWebContainer } from '../support/web-container.ts';

const restarts = Number(process.env['POSTERN_RESTARTS'] ?? 2);
const logins = Number(process.env['POSTERN_LOGINS'] ?? 100);
const versions = ['0.1.0-one', '0.1.0-two'] as const;

let folder: string;
let admin: KeyPair;
let served: Served;
let target: SshTarget;
let web: TestContainer;
const install = async (version: string) => {
  const link = join(folder, 'link');
  await symlink(join(folder, version), link);
  await rename(link, join(folder, 'installed'));
};
const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);
const asAdmin = async (line: string) => (await ssh(target, line, { key: admin })).text.trim();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-upgrade-'));
  admin = await makeKeyPair();
  const [first] = await Promise.all([
    buildVersion(folder, versions[0]),
    startWebContainer().then((container) => {
      web = container;
    }),
  ]);
  await copyVersion(first, folder, versions[1]);
  await install(versions[0]);
  const [, , ...flags] = serveArgs(folder, [
    `--admin-key=${admin.file}.pub`,
    `--docker=${engineHost()}`,
    ...['--workers=2', '--log-level=info', '--domain=gw.example', '--http-listen=127.0.0.1:0'],
  ]);
  const child = spawn(join(folder, 'installed/bin/postern'), ['serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  }
  await until(() => /Host key ssh-rsa/.test(printed), 50_000);
  const port = Number(/SSH on 127\.0\.0\.1:(\d+)/.exec(printed)?.[1]);
  served = { child, port, printed: () => printed };
  target = await targetIn(folder, port);
});
afterAll(async () => {
  const exited = once(served.child, 'exit');
  served.child.kill('SIGINT');
  await exited;
  await web?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Logs in again and again, four at a time, until it is told to stop and has done enough. */
function logInWithoutPause(port: number, key: string) {
  const client = createLightClient(port, key);
  const failures: string[] = [];
  let done = 0;
  let isOver = false;
  const one = async () => {
    while (!isOver || done < logins) {
      const socket: Socket | undefined = await client.logIn().catch((error: Error) => {
        failures.push(error.message);
        return undefined;
      });
      socket?.destroy();
      done++;
    }
  };
  const all = Promise.all([one(), one(), one(), one()]);
  return {
    done: () => done,
    async end() {
      isOver = true;
      await all;
      return failures;
    },
  };
}

const httpPort = () => Number(/http:\/\/127\.0\.0\.1:(\d+)\/exec/.exec(served.printed())?.[1]);
const asApi = () => ({ gateway: { httpAddress: { address: '127.0.0.1', port: httpPort() } } }) as Api;

/** In a container: a terminal, a stream of events and a WebSocket, each of which is asked and answers. */
async function openAll() {
  const terminal = spawnSsh(target, undefined, { key: admin, login: `rexec-${web.name}`, args: ['-tt'] });
  const left = once(terminal, 'close');
  let shown = '';
  terminal.stdout?.on('data', (chunk) => {
    shown += chunk;
  });
  const token = await asAdmin(`ssh-key generate-api-key --vm=${web.name}`);
  const stream = await openRaw(asApi(), lines(...requestHead(web.name, token, '/events')));
  const socket = await openRaw(
    asApi(),
    lines(
      ...requestHead(web.name, token, '/raw'),
      ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  );
  await socket.until(/101 Switching Protocols/);
  return {
    async check(round: number) {
      terminal.stdin?.write(`echo in-$((${round} + 1000))\n`);
      socket.socket.write(`over-${round};`);
      await until(() => shown.includes(`in-${round + 1000}`));
      await socket.until(new RegExp(`over-${round};`), 20_000);
      const heard = stream.received().length;
      await until(() => stream.received().length > heard);
    },
    async end() {
      terminal.stdin?.write('exit 7\n');
      stream.socket.destroy();
      socket.socket.destroy();
      return left;
    },
  };
}

it(`${logins} logins during ${restarts} restarts between two versions: none is refused, and what is open stays`, async () => {
  const open = await openAll();
  await open.check(0);
  const key = ssh2.utils.parseKey(await readFile(admin.file)) as ParsedKey;
  const load = logInWithoutPause(served.port, key.getPrivatePEM());
  for (let round = 1; round <= restarts; round++) {
    await until(() => load.done() >= (logins * round) / (restarts + 1), 600_000);
    const version = versions[round % 2] as string;
    await install(version);
    const restarted = await postern('restart');
    expect([restarted.stderr, restarted.status]).toEqual(['', 0]);
    expect(await asAdmin('version')).toContain(version);
    await open.check(round);
  }
  expect(await load.end()).toEqual([]);
  expect(load.done()).toBeGreaterThanOrEqual(logins);
  expect(await open.end()).toEqual([7, null]);
  // The old ones have nothing left to do.
  await until(() => supervisorsOf(served).length === 1);
});

it('broken-new-version: one that does not even start is refused, and the one that runs goes on', async () => {
  const running = await asAdmin('version');
  await rm(join(folder, 'installed'));
  await symlink(join(folder, 'nothing'), join(folder, 'installed'));
  const refused = await postern('restart');
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('What runs goes on.')]);
  await pause(100);
  expect(await asAdmin('version')).toBe(running);
});
