/**
 * What VS Code Remote-SSH and JetBrains Gateway do on the wire, by the real ssh: a script on the stdin of a shell,
 * a server uploaded and left running, and its port on the container's loopback. The server is busybox's httpd.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../scripts/debian-packages.mjs';
import { countProcesses } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { freePort } from '../support/free-port.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';

const serverPort = 46_123;
const content = randomBytes(2_000_000);
const hash = createHash('sha256').update(content).digest('hex');

let door: TestGateway;
let config: string;
let folder: string;
beforeAll(async () => {
  door = await startTestGateway();
  config = await sshConfigFile(door);
  folder = door.folder;
  await writeFile(join(folder, 'page'), content);
});
afterAll(() => door.stop());

/** Of an ssh that stays: what it printed, and more lines for its stdin. */
interface Window {
  readonly socksPort: number;
  readonly ssh: ChildProcess;
  say(script: string): void;
  saw(pattern: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

async function openWindow(host: string, shell: string): Promise<Window> {
  const socksPort = await freePort();
  const args = ['-F', config, '-T', '-D', `127.0.0.1:${socksPort}`, '-o', 'ConnectTimeout=15', host, shell];
  const ssh = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let text = '';
  let changed = Promise.withResolvers<void>();
  const ended = new Promise<void>((resolve) => ssh.once('close', () => resolve()));
  for (const output of [ssh.stdout, ssh.stderr]) {
    output.on('data', (chunk: Buffer) => {
      text += chunk;
      changed.resolve();
      changed = Promise.withResolvers();
    });
  }
  ssh.stdin.on('error', () => {});
  return {
    socksPort,
    ssh,
    say: (script) => void ssh.stdin.write(`${script}\n`),
    async saw(pattern) {
      for (;;) {
        const found = pattern.exec(text);
        if (found) return found[1] ?? found[0];
        if (ssh.exitCode !== null) throw new Error(`ssh ended without ${pattern}: ${text}`);
        await Promise.race([changed.promise, ended]);
      }
    },
    async kill(signal) {
      ssh.kill(signal);
      await ended;
    },
  };
}

/** As such scripts are: markers around each answer, so that what a profile prints is not taken for one. */
const probe = `echo "a1b2: running"
echo "a1b2: arch==$(uname -m)== platform==$(uname -s)== home==$HOME=="
if [ -x ~/.editor/busybox ]; then echo "a1b2: server==there=="; else echo "a1b2: server==missing=="; fi
echo "a1b2: end"`;
const start = `pid=$(cat ~/.editor/pid 2>/dev/null)
if [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null; then
  cd ~/.editor || exit 1
  $(command -v nohup || echo setsid) ./busybox httpd -f -p 127.0.0.1:${serverPort} -h ~/.editor >log 2>&1 </dev/null &
  echo $! >pid
fi
n=0
until grep -q ":$(printf %04X ${serverPort}) 00000000:0000 0A" /proc/net/tcp || [ $n -gt 100 ]; do n=$((n+1)); sleep 0.05; done
echo "a1b2: listeningOn==${serverPort}== pid==$(cat ~/.editor/pid)=="`;

async function fetchHash(args: readonly string[], url: string): Promise<string> {
  const answer = await runProgram('curl', ['-sS', '--fail', '--max-time', '20', ...args, url]);
  if (answer.status !== 0) return answer.stderr;
  return createHash('sha256').update(answer.stdout).digest('hex');
}
const bySocks = ({ socksPort }: Window, host = 'localhost') =>
  fetchHash(['--socks5-hostname', `127.0.0.1:${socksPort}`], `http://${host}:${serverPort}/page`);

describe.each([
  ['Debian, by bash', images.debian, 'bash'],
  ['busybox, by sh', images.busybox, 'sh'],
])('%s', (_name, image, shell) => {
  let container: TestContainer;
  let host: string;
  beforeAll(async () => {
    container = await runContainer(image);
    host = `app@rexec-${container.name}`;
  });
  afterAll(() => container.remove());
  const ssh = (...args: readonly string[]) => runProgram('ssh', ['-F', config, ...args]);
  const serversRunning = () => countProcesses(container.id, 'httpd -f');

  it('VS Code: probe, upload, start, -D, a second window, a kill and a way back', async () => {
    const platform = await ssh('-T', host, 'uname -rsv && echo a1b2==ok==');
    expect(platform.text).toMatch(/^Linux \S+ .*\na1b2==ok==\n$/);

    const first = await openWindow(host, shell);
    first.say(probe);
    expect(await first.saw(/platform==(\w+)==/)).toBe('Linux');
    expect(await first.saw(/home==(\S+)==/)).toBe('/home/app');
    expect(await first.saw(/server==(\w+)==[\s\S]*end/)).toBe('missing');
    first.say('mkdir -p ~/.editor && echo "a1b2: made"');
    await first.saw(/made/);
    const server = findProgram('busybox') as string;
    for (const [args, from, to] of [
      [[], server, 'busybox'],
      [['-O'], join(folder, 'page'), 'page'],
    ] as const) {
      const copied = await runProgram('scp', [...args, '-qp', '-F', config, from, `${host}:.editor/${to}`]);
      expect([copied.stderr, copied.status]).toEqual(['', 0]);
    }
    first.say(start);
    expect(await first.saw(/listeningOn==(\d+)==/)).toBe(String(serverPort));
    const pid = await first.saw(/pid==(\d+)==/);
    expect(await Promise.all([bySocks(first), bySocks(first, '127.0.0.1'), bySocks(first)])).toEqual([
      ...[hash, hash, hash],
    ]);

    const second = await openWindow(host, shell);
    second.say(`${probe}\n${start}`);
    expect(await second.saw(/server==(\w+)==/)).toBe('there');
    expect(await second.saw(/pid==(\d+)==/)).toBe(pid);
    expect(await Promise.all([bySocks(first), bySocks(second)])).toEqual([hash, hash]);

    await first.kill('SIGKILL');
    expect(await bySocks(second)).toBe(hash);
    const third = await openWindow(host, shell);
    third.say(start);
    expect(await third.saw(/pid==(\d+)==/)).toBe(pid);
    expect(await bySocks(third)).toBe(hash);
    expect(await serversRunning()).toBe(1);
    await Promise.all([second.kill('SIGTERM'), third.kill('SIGTERM')]);
    await container.sh('kill "$(cat ~app/.editor/pid)"; rm -r ~app/.editor');
  });

  it('a bootstrap script from a file, with its end of input, gives its status', async () => {
    const script = `${'# filler, as these scripts are long\n'.repeat(2_000)}echo done; exit 7\n`;
    const outcome = await runProgram('ssh', ['-F', config, '-T', host, shell], { stdin: script });
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['done\n', '', 7]);
  });

  it('JetBrains Gateway: everything over one ControlMaster, upload by sftp, -L asked for later; then again', async () => {
    const controlPath = join(folder, `control-${container.name}`);
    const control = ['-F', config, '-o', `ControlPath=${controlPath}`];
    const over = (...args: readonly string[]) =>
      runProgram('ssh', [...control, ...args], { timeoutMs: 20_000 });
    for (const round of [1, 2]) {
      expect((await over('-o', 'ControlPersist=yes', '-fNM', host)).status).toBe(0);
      const probes = ['uname -sm', 'echo "$HOME"', 'getconf GNU_LIBC_VERSION || true', 'id -un'];
      const answers = await Promise.all(probes.map((line) => over(host, line)));
      expect([answers[0]?.text, answers[1]?.text]).toEqual([expect.stringMatching(/^Linux /), '/home/app\n']);
      expect([answers[2]?.status, answers[3]?.text]).toEqual([0, 'app\n']);
      if (round === 1) {
        const batch = `mkdir .editor\nput ${findProgram('busybox')} .editor/busybox\nput ${folder}/page .editor/page\nchmod 755 .editor/busybox\n`;
        const put = await runProgram('sftp', [...control, '-q', '-b', '-', host], { stdin: batch });
        expect([put.stderr, put.status]).toEqual(['', 0]);
      }
      expect((await over(host, start)).text).toMatch(/listeningOn==\d+== pid==\d+==/);
      const port = await freePort();
      const forward = ['-L', `127.0.0.1:${port}:127.0.0.1:${serverPort}`];
      expect(await over('-O', 'forward', ...forward, host)).toMatchObject({ status: 0 });
      const url = `http://127.0.0.1:${port}/page`;
      expect(await Promise.all([fetchHash([], url), fetchHash([], url)])).toEqual([hash, hash]);
      expect(await over('-O', 'cancel', ...forward, host)).toMatchObject({ status: 0 });
      expect(await fetchHash([], url)).toMatch(/refused|connect/);
      expect(await over('-O', 'exit', host)).toMatchObject({ status: 0 });
      // It answers before it goes; a next one finds its socket until then.
      await expect.poll(() => existsSync(controlPath)).toBe(false);
    }
    expect(await serversRunning()).toBe(1);
  });
});
