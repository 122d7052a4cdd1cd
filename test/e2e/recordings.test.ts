/** What is recorded of sessions in containers, with the real ssh; and asciinema, which plays it. */
import { once } from 'node:events';
import { appendFile, lstat, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordingsFolder } from '../../src/recordings/recording-folder.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { castOf, listRecordings, newest } from '../support/recorded-gateway.ts';
import { main } from '../support/served.ts';
import { runProgram, spawnSsh } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';

let door: Api;
let container: TestContainer;
let bare: TestContainer;
let config: string;
let folder: string;
beforeAll(async () => {
  door = await startApi({ config: { recordingExecBytes: 4096, domain: 'localhost' } });
  [container, bare] = await Promise.all([
    runContainer(images.debian, ['--network=none']),
    runContainer(images.busybox, ['--network=none']),
  ]);
  config = await sshConfigFile(door);
  folder = door.folder;
});
afterAll(async () => {
  await Promise.all([container.remove(), bare.remove()]);
  await door.stop();
});

const inside = (command?: string, options = {}) =>
  door.ssh(command, { login: `rexec-${container.name}`, ...options });
const tools = (file: string, ...args: string[]) => runProgram(file, args);

it('nothing is recorded until an admin says so, and then from the next session on', async () => {
  expect((await inside('echo before')).text).toBe('before\n');
  expect((await door.ssh('recording list')).text).toBe('no recordings\n');
  expect(await readdir(recordingsFolder(door.dataDir)).catch(() => 'no folder')).toBe('no folder');
  for (const { name } of [container, bare]) {
    expect((await door.ssh(`recording set ${name} on`)).text).toContain('sessions are recorded.');
  }
});

it('a program: its command, both outputs and its end; the file is for the gateway alone', async () => {
  expect(await inside('echo out; echo err >&2; exit 3')).toMatchObject({
    text: 'out\n',
    stderr: 'err\n',
    status: 3,
  });
  const recorded = await newest(door, ({ command }) => command.startsWith('echo out'));
  expect(recorded).toMatchObject({
    kind: 'exec',
    account: 'admin',
    state: 'finished',
    end: { exitStatus: 3 },
  });
  const { header, output, ours } = await castOf(door, recorded.id);
  expect(header).toMatchObject({ version: 2, command: 'echo out; echo err >&2; exit 3' });
  expect(header['postern']).toMatchObject({
    id: recorded.id,
    account: 'admin',
    fingerprint: door.admin.fingerprint,
    target: container.name,
  });
  expect(output.split('\r\n').toSorted()).toEqual(['', 'err', 'out']);
  expect(ours.at(-1)).toEqual({ end: { exitStatus: 3 } });
  const where = recordingsFolder(door.dataDir);
  expect((await lstat(where)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(where)) expect((await lstat(join(where, name))).mode & 0o777).toBe(0o600);
});

it('of a long output so much as is configured, and the session gets all of it; its input is not in it', async () => {
  const sent = 'a secret on stdin\n';
  const ran = await inside('cat; yes filler | head -c 300000', { stdin: sent });
  expect(ran.stdout.length).toBe(sent.length + 300_000);
  const { output, events } = await castOf(
    door,
    (await newest(door, ({ command }) => command.startsWith('cat;'))).id,
  );
  expect(output.replaceAll('\r\n', '\n').length).toBe(4096);
  expect(events.filter(([, code]) => code === 'i')).toEqual([]);
  expect(events.find(([, code]) => code === 'm')?.[2]).toBe('more output is left out: over 4096 bytes');
});

describe('a terminal', () => {
  it('is recorded with its size and its output, played by asciinema, and by "recording play"', async () => {
    const script = `stty cols 101 rows 31; ssh -tt -F ${config} rexec-${container.name} 'printf "\\033[1mbold\\033[m"; echo " $TERM"'`;
    const ran = await tools('script', '-qec', script, '/dev/null');
    expect(ran.status).toBe(0);
    const { id } = await newest(door, ({ kind }) => kind === 'terminal');
    const { header, output } = await castOf(door, id);
    expect(header).toMatchObject({ width: 101, height: 31 });
    expect(output).toContain('\x1b[1mbold\x1b[m');
    const exported = await door.ssh(`recording export ${id}`);
    const file = join(folder, 'terminal.cast');
    await writeFile(file, exported.stdout);
    const env = 'LC_ALL=C.UTF-8';
    const shown = await tools('script', '-qec', `${env} asciinema cat ${file}`, '/dev/null');
    expect([shown.status, shown.text]).toEqual([0, expect.stringContaining('\x1b[1mbold\x1b[m')]);
    const played = await tools('script', '-qec', `${env} asciinema play -s 50 -i 0.1 ${file}`, '/dev/null');
    expect([played.status, played.text]).toEqual([0, expect.stringContaining('\x1b[1mbold\x1b[m')]);
    const own = await door.ssh(`recording play ${id} --speed=50`, { args: ['-tt'] });
    expect([own.status, own.text]).toEqual([0, expect.stringContaining('\x1b[1mbold\x1b[m')]);
    // script types a NUL where its own stdin has ended, which a terminal that is quick echoes: before or between what is written.
    const text = (await door.ssh(`recording play ${id}`)).text.replace('^@', '');
    expect(text).toMatch(/^bold \w+\n/);
    expect((await door.ssh('audit --event=recording-used --json')).text).toContain('"how":"played"');
  });
});

describe('playing back', () => {
  let id = '';
  beforeAll(async () => {
    await inside('printf begun; sleep 2; printf over', { args: ['-tt'] });
    ({ id } = await newest(door, ({ kind }) => kind === 'terminal'));
  });

  /** What is typed, each when the text before it was seen; resolves to all that was shown. */
  const watch = async (
    line: string | undefined,
    ...steps: readonly (readonly [string | RegExp, string])[]
  ) => {
    const playing = spawnSsh(door, line, { key: door.admin, args: ['-tt'] });
    playing.stdin?.on('error', () => {});
    const waiting = [...steps];
    let text = '';
    playing.stdout?.on('data', (chunk: Buffer) => {
      text += chunk;
      const [seen, typed] = waiting[0] ?? [];
      if (seen === undefined || text.search(seen) === -1) return;
      waiting.shift();
      playing.stdin?.write(typed ?? '');
    });
    const [status] = await once(playing, 'close');
    return { status, text };
  };
  // 16 times as slow with a "-": it is over after half a minute, unless somebody steps.
  const slowly = () => `recording play ${id} --speed=0.1`;

  it('q leaves', async () => {
    const { status, text } = await watch(slowly(), ['begun', '-q']);
    expect([status, text.includes('over')]).toEqual([0, false]);
  });

  it('space pauses, "." steps to the end', async () => {
    const { status, text } = await watch(slowly(), ['begun', ' -....']);
    expect([status, text.includes('over')]).toEqual([0, true]);
  });

  it('at the prompt, which goes on afterwards', async () => {
    const { status, text } = await watch(
      undefined,
      ['▶', `${slowly()}\r`],
      ['begun', 'q'],
      [/begun[\s\S]*▶/, 'exit\r'],
    );
    expect([status, text.includes('over')]).toEqual([0, false]);
  });
});

it('forwarded connections: where to, how many bytes, how long', async () => {
  // 1B58: the port, where it listens.
  await bare.sh(
    "nc -l -p 7000 -e cat >/dev/null 2>&1 & until grep -q ':1B58 [^ ]* 0A' /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done",
  );
  const args = ['-W', 'localhost:7000'];
  const echoed = await door.ssh(undefined, { login: `rexec-${bare.name}`, args, stdin: 'twelve bytes' });
  expect(echoed.text).toBe('twelve bytes');
  const [log] = await listRecordings(door, '--kind=forwards');
  expect(log).toMatchObject({ command: 'forwards', account: 'admin' });
  const told = async () => (await castOf(door, log?.id ?? '')).ours.map(({ forward }) => forward);
  await expect
    .poll(told)
    .toEqual([
      { opened: 'forward localhost:7000' },
      { closed: 'forward localhost:7000', bytesIn: 12, bytesOut: 12, durationMs: expect.any(Number) },
    ]);
});

it('over POST /exec, and from the lobby', async () => {
  const token = await door.apiKey('--cmds=ssh');
  const answer = await door.ask({ token, line: `ssh ${container.name} echo by http` });
  expect(answer.body).toBe('by http\n');
  expect((await door.ssh(`ssh ${container.name} echo by the lobby`)).text).toBe('by the lobby\n');
  const commands = (await listRecordings(door, '--kind=exec')).map(({ command }) => command);
  expect(commands.slice(0, 2)).toEqual(['echo by the lobby', 'echo by http']);
});

it('secrets on a command line are masked in its header', async () => {
  await inside('echo join+abcdefghijklmnopqrstuvwxyz > /dev/null');
  const { header } = await castOf(door, (await newest(door, ({ kind }) => kind === 'exec')).id);
  expect(header['command']).toBe('echo join+*** > /dev/null');
});

it('the operator has them on the gateway’s machine; one that is too long for an answer is told so', async () => {
  const postern = (...args: string[]) => tools(process.execPath, main, ...args, '--data', door.dataDir);
  const { id } = await newest(door, ({ kind }) => kind === 'exec');
  const exported = await postern('recording', 'export', id);
  expect(exported.text).toBe((await door.ssh(`recording export ${id}`)).text);
  const where = recordingsFolder(door.dataDir);
  const file = join(where, (await readdir(where)).find((name) => name.includes(id)) ?? '');
  await appendFile(file, `[1,"o","${'x'.repeat(100_000)}"]\n`.repeat(180));
  const refused = await postern('recording', 'export', id);
  expect([refused.status, refused.text]).toEqual([1, '']);
  expect(refused.stderr).toContain('the answer is longer than');
});

it('an admin removes one; what runs is not removed', async () => {
  const [first] = await listRecordings(door);
  expect((await door.ssh(`recording remove ${first?.id}`)).text).toContain('Removed');
  expect((await door.ssh(`recording show ${first?.id}`)).stderr).toContain('there is no recording');
  expect((await door.ssh('recording show ../../etc/passwd')).stderr).toContain('there is no recording');
});
