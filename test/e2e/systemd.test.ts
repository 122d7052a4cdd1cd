/** Under systemd: what it is told (sd_notify), the sockets it passes on, and the unit files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main, serveArgs, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, ssh } from '../support/ssh-client.ts';

const deploy = new URL('../../deploy/', import.meta.url).pathname;
const children: ChildProcess[] = [];
let folder: string;
let admin: KeyPair;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-systemd-'));
  admin = await makeKeyPair();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 30_000, interval: 20 });

function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  return { child, printed: () => text };
}

/** What systemd does at the other end of NOTIFY_SOCKET: prints each datagram as one line. */
const listener = `
import json, socket, sys
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(json.dumps(listening.recv(4096).decode()), flush=True)`;

describe('sd_notify', () => {
  it('tells when it is ready, reloads and stops, and that it lives', async () => {
    const socket = join(folder, 'notify');
    const heard = start('python3', ['-c', listener, socket]);
    await until(() => heard.printed().includes('listening'));
    const states = () =>
      heard
        .printed()
        .split('\n')
        .filter((line) => line.startsWith('"') && !/WATCHDOG|BARRIER/.test(line))
        .map((line) => JSON.parse(line) as string);
    const gateway = start(process.execPath, serveArgs(join(folder, 'notified')), {
      NOTIFY_SOCKET: socket,
      WATCHDOG_USEC: '1500000',
    });
    await until(() => states().length === 1);
    expect(states()).toEqual(['READY=1']);
    await until(() => heard.printed().includes('WATCHDOG=1'));
    gateway.child.kill('SIGHUP');
    await until(() => states().length === 3);
    expect(states()[1]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    const toldAtUs = Number(/\d+$/.exec(states()[1] as string)?.[0]);
    const { text } = await runProgram('python3', ['-c', 'import time; print(time.monotonic_ns() // 1000)']);
    expect(Math.abs(Number(text) - toldAtUs)).toBeLessThan(60_000_000);
    expect(states()[2]).toBe('READY=1');
    const exited = once(gateway.child, 'exit');
    gateway.child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    await until(() => states().length === 4);
    expect(states()[3]).toBe('STOPPING=1');
  });
});

/** What systemd does with a .socket unit: holds the port, and starts the program with it as descriptor 3. */
const activator = `
import os, socket, sys
listening = socket.create_server(("127.0.0.1", 0))
print("port", listening.getsockname()[1], flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.dup2(listening.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="ssh")
        os.execv(sys.argv[1], sys.argv[1:])
    print("pid", pid, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)`;

describe('a socket that systemd holds', () => {
  it('serves SSH, and who connects while the gateway restarts is served by the next one', async () => {
    const args = serveArgs(join(folder, 'activated'), [`--admin-key=${admin.file}.pub`]);
    const systemd = start('python3', ['-c', activator, process.execPath, ...args]);
    const begin = () => systemd.child.stdin.write('start\n');
    await until(() => /port \d+/.test(systemd.printed()));
    const port = Number(/port (\d+)/.exec(systemd.printed())?.[1]);
    begin();
    await until(() => systemd.printed().includes('Host key ssh-rsa'));
    expect(systemd.printed()).toContain(`Postern listens for SSH on 127.0.0.1:${port}\n`);
    const target = await targetIn(join(folder, 'activated'), port);
    const whoami = () => ssh(target, 'whoami', { key: admin });
    expect((await whoami()).text).toContain('Account: admin');
    process.kill(Number(/pid (\d+)/.exec(systemd.printed())?.[1]), 'SIGTERM');
    await until(() => systemd.printed().includes('ended 0'));
    const meanwhile = whoami();
    begin();
    expect((await meanwhile).text).toContain('Account: admin');
    process.kill(Number([...systemd.printed().matchAll(/pid (\d+)/g)].at(-1)?.[1]), 'SIGTERM');
    await until(() => systemd.printed().split('ended 0').length === 3);
  });

  it('of another process is not taken for its own', async () => {
    const gateway = start(process.execPath, serveArgs(join(folder, 'other')), {
      LISTEN_PID: '1',
      LISTEN_FDS: '1',
    });
    await until(() => gateway.printed().includes('Host key ssh-rsa'));
    gateway.child.kill('SIGTERM');
    expect(await once(gateway.child, 'exit')).toEqual([0, null]);
  });
});

describe('the files in deploy/', () => {
  it('are sound units, as systemd-analyze has it, and the service is well closed in', async () => {
    const unit = await readFile(join(deploy, 'postern.service'), 'utf8');
    // The program must be there for it to be verified.
    const service = join(folder, 'postern.service');
    await writeFile(service, unit.replaceAll('/opt/postern/bin/postern', process.execPath));
    await copyFile(join(deploy, 'postern.socket'), join(folder, 'postern.socket'));
    const verified = await runProgram('systemd-analyze', ['verify', service, join(folder, 'postern.socket')]);
    expect([verified.text, verified.stderr, verified.status]).toEqual(['', '', 0]);
    const { text } = await runProgram('systemd-analyze', ['security', '--offline=yes', service]);
    expect(Number(/exposure level for postern\.service: ([\d.]+)/.exec(text)?.[1])).toBeLessThanOrEqual(2);
  });

  it('name commands that there are', async () => {
    const unit = await readFile(join(deploy, 'postern.service'), 'utf8');
    const help = await runProgram(process.execPath, [main, '--help']);
    const commands = [...unit.matchAll(/^Exec\w+=\/opt\/postern\/bin\/postern (\w+)/gm)].map(
      ([, word]) => word,
    );
    expect(commands).toEqual(['serve', 'reload']);
    for (const word of commands) expect(help.text).toContain(word);
  });
});
