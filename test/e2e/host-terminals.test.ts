/** What goes on while a session in a host runs: signals, window changes, slow readers, hang-ups, revocation. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mostHeldMib } from '../support/held-memory.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { collect, runProgram, spawnSsh } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: HostsBehind;
let sshd: Sshd;
beforeAll(async () => {
  // Long enough for programs that wait for the processor, which are no less alive.
  door = await startHostsBehind({ config: { keepaliveIntervalMs: 1_500, keepaliveCountMax: 2 } });
  sshd = await startSshd(await lettingIn(door.identity));
  await door.addHost('host', sshd.port);
});
afterAll(async () => {
  await Promise.all([door.stop(), sshd.stop()]);
});

const start = (command: string, ...args: readonly string[]) =>
  spawnSsh(door, command, { login: 'rexec-host', key: door.admin, args });
const firstLine = (child: ChildProcess) =>
  new Promise<string>((resolve) => child.stdout?.once('data', (data) => resolve(String(data).trim())));

/** How many of this gateway's sessions run: `ps` on the host, which is this machine. */
const running = async (marker: string) =>
  (await runProgram('ps', ['-eo', 'args'])).text.split('\n').filter((line) => line.includes(marker)).length;

describe('a terminal in a host', () => {
  it('follows the size of the one here', async () => {
    const python = `
import fcntl, os, pty, struct, sys, termios, time, signal
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
def resize(rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.kill(pid, signal.SIGWINCH)
seen = b''
def wait(text):
    global seen
    while text not in seen:
        seen += os.read(fd, 1000)
wait(b'ready')
resize(33, 77)
wait(b'33 77')
os.write(fd, b'\\x03')
wait(b'interrupted')
print('followed')
`;
    const remote = `trap 'stty size' WINCH; trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.1; done`;
    const args = ['-F', '/dev/null', '-o', `UserKnownHostsFile=${door.knownHosts}`, '-i', door.admin.file];
    const destination = ['-p', String(door.port), '-tt', 'rexec-host@127.0.0.1', remote];
    const { text } = await runProgram('python3', ['-c', python, 'ssh', ...args, ...destination]);
    expect(text).toBe('followed\n');
  });
});

describe('a session in a host', () => {
  it('goes on when its input has ended, and its program sees that end', async () => {
    const outcome = await door.ssh('cat; echo more; sleep 0.2; echo last', {
      login: 'rexec-host',
      stdin: 'input\n',
    });
    expect(outcome).toMatchObject({ text: 'input\nmore\nlast\n', status: 0 });
  });

  it('ends on the host when the person is gone', async () => {
    const marker = `sleep 987${process.pid}`;
    const child = start(`echo up; exec ${marker}`, '-tt');
    await firstLine(child);
    await expect.poll(() => running(marker)).toBeGreaterThan(1);
    child.kill('SIGKILL');
    // sshd itself ends what has a terminal.
    await expect.poll(() => running(marker), { timeout: 20_000 }).toBe(0);
  });

  it('a reader that reads nothing makes the program wait, not the gateway grow', async () => {
    const child = start('head -c 200000000 /dev/zero');
    child.stdout?.pause();
    expect(await mostHeldMib(() => pause(2_000))).toBeLessThan(16);
    child.stdout?.resume();
    const { stdout } = await collect(child);
    expect(stdout.length).toBe(200_000_000);
  });

  it('a program that reads nothing makes the person wait, not the gateway grow', async () => {
    const child = spawn('sh', [
      '-c',
      `head -c 200000000 /dev/zero | ssh -F /dev/null -o UserKnownHostsFile=${door.knownHosts} -i ${door.admin.file} -p ${door.port} rexec-host@127.0.0.1 'sleep 2; wc -c'`,
    ]);
    const held = await mostHeldMib(async () => expect((await collect(child)).text.trim()).toBe('200000000'));
    expect(held).toBeLessThan(16);
  });

  it('a host that gives no sign of life is left', async () => {
    const silent = await startSshd(await lettingIn(door.identity));
    await door.addHost('frozen', silent.port);
    const child = spawnSsh(door, 'echo $PPID; sleep 60', { login: 'rexec-frozen', key: door.admin });
    const pid = Number(await firstLine(child));
    process.kill(pid, 'SIGSTOP');
    const { stderr, status } = await collect(child);
    process.kill(pid, 'SIGKILL');
    expect([stderr, status]).toEqual([expect.stringContaining('it gives no sign of life'), 255]);
    await silent.stop();
  });

  it('is in the list of sessions, and ends by session kill with a sentence', async () => {
    const child = start('echo up; sleep 60');
    await firstLine(child);
    const ended = collect(child);
    const listed = JSON.parse((await door.ssh('session list --json')).text) as {
      sessions: { id: string; target: string }[];
    };
    const { id } = listed.sessions.find(({ target }) => target === 'host') ?? { id: '' };
    expect((await door.ssh(`session kill ${id}`)).status).toBe(0);
    expect(await ended).toMatchObject({ status: 255, stderr: expect.stringContaining('postern: ') });
    const audits = door
      .logged()
      .filter(({ audit, target }) => audit === 'session-started' && target === 'host');
    expect(audits.length).toBeGreaterThan(0);
  });

  it.each(['key', 'account'])('ends within a second when the %s is withdrawn', async (what) => {
    const name = `x${what}`;
    const key = await door.addMember(name);
    expect((await door.ssh(`share add host ${name}`)).status).toBe(0);
    const child = spawnSsh(door, 'echo up; sleep 60', { login: 'rexec-host', key });
    await firstLine(child);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const [command, options] =
      what === 'key' ? [`ssh-key remove --yes ${key.fingerprint}`, { key }] : [`account disable ${name}`, {}];
    expect((await door.ssh(command, options)).status).toBe(0);
    await gone;
    // By the log, as an ssh takes its time to start and to leave.
    const timeOf = (event: string, facts: Record<string, unknown>) => {
      const isIt = (line: Record<string, unknown>) =>
        line['audit'] === event && Object.entries(facts).every(([fact, value]) => line[fact] === value);
      return Number(door.logged().findLast(isIt)?.['time']);
    };
    const ended = () => timeOf('session-ended', { account: name, target: 'host' });
    await expect.poll(ended).toBeGreaterThan(0);
    expect(ended() - timeOf('session-started', { what: command })).toBeLessThan(1_000);
  });
});
