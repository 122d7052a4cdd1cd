/** What is recorded of files that come and go, with the real sftp, scp and rsync. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { castOf, listRecordings, newest } from '../support/recorded-gateway.ts';
import { runProgram } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';
import { runToolContainer } from '../support/tool-container.ts';

let door: TestGateway;
let container: TestContainer;
let bare: TestContainer;
let config: string;
let folder: string;
beforeAll(async () => {
  door = await startTestGateway({ config: { recordings: 'all' } });
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

const tools = (file: string, ...args: string[]) => runProgram(file, args);
const newestIn = ({ name }: TestContainer, filters = '') =>
  newest(door, () => true, `--target=${name} ${filters}`);

describe('files', () => {
  it.each([
    ['by the image’s sftp-server', () => container],
    ['by the gateway’s', () => bare],
  ])('sftp is a log of what was done to them, %s', async (_name, where) => {
    const up = join(folder, 'up');
    await writeFile(up, 'x'.repeat(70_000));
    const batch = [
      `put ${up} /tmp/a`,
      `get /tmp/a ${up}.back`,
      'rename /tmp/a /tmp/b',
      'mkdir /tmp/d',
      'chmod 600 /tmp/b',
      'ls /tmp/d',
      '-rm /tmp/nosuch',
      '-get /etc/nothing',
      'rm /tmp/b',
      'rmdir /tmp/d',
    ];
    const ran = await runProgram('sftp', ['-q', '-F', config, '-b', '-', `rexec-${where().name}`], {
      stdin: batch.join('\n'),
    });
    expect(ran.status).toBe(0);
    const { output, ours } = await castOf(door, (await newestIn(where(), '--kind=files')).id);
    const lines = output.split('\r\n');
    for (const expected of [
      'upload /tmp/a (70000 bytes): ok',
      'download /tmp/a (70000 bytes): ok',
      'rename /tmp/a -> /tmp/b: ok',
      'mkdir /tmp/d: ok',
      'attributes /tmp/b (mode 0600): ok',
      'list /tmp/d/: ok',
      'remove /tmp/b: ok',
      'rmdir /tmp/d: ok',
    ])
      expect(lines).toContain(expected);
    expect(ours.map(({ file }) => file)).toContainEqual(
      expect.objectContaining({ op: 'upload', path: '/tmp/a', bytes: 70_000 }),
    );
    expect((await readFile(`${up}.back`)).length).toBe(70_000);
  });

  it('hidden-by-a-terminal: sftp that asks for one is a log like any other', async () => {
    const up = join(folder, 'with-terminal');
    await writeFile(up, 'x'.repeat(70_000));
    const args = ['-q', '-F', config, '-o', 'RequestTTY=force', '-b', '-', `rexec-${container.name}`];
    const ran = await runProgram('sftp', args, { stdin: `put ${up} /tmp/t\nrm /tmp/t\n` });
    expect(ran.status).toBe(0);
    const { kind, id } = await newestIn(container);
    expect(kind).toBe('files');
    const { output } = await castOf(door, id);
    expect(output).toBe('upload /tmp/t (70000 bytes): ok\r\nremove /tmp/t: ok\r\n');
  });

  it('scp -O is one as well, both ways, with folders', async () => {
    const from = await mkdtemp(join(folder, 'tree-'));
    await writeFile(join(from, 'one'), 'one\n');
    await writeFile(join(from, 'two'), '');
    const at = `rexec-${container.name}`;
    expect((await tools('scp', '-O', '-q', '-r', '-F', config, from, `${at}:/tmp/tree`)).status).toBe(0);
    expect(
      (await tools('scp', '-O', '-q', '-F', config, `${at}:/tmp/tree/one`, join(folder, 'back'))).status,
    ).toBe(0);
    const down = await newestIn(container, '--kind=files');
    const [, up] = await listRecordings(door, `--target=${container.name} --kind=files`);
    const told = (await castOf(door, up?.id ?? '')).output;
    expect(told).toMatch(/upload \/tmp\/tree\/[^ ]*one \(4 bytes\): ok/);
    expect(told).toMatch(/upload \/tmp\/tree\/[^ ]*two \(0 bytes\): ok/);
    expect((await castOf(door, down.id)).output).toContain('(4 bytes): ok');
  });
});

it('scp -O goes on behind a file that is refused, and so does its log', async () => {
  const from = await mkdtemp(join(folder, 'refused-'));
  const files = ['one', 'two'].map((name) => join(from, name));
  for (const file of files) await writeFile(file, file);
  await container.sh('mkdir -p /tmp/some/one');
  const ran = await tools('scp', '-O', '-q', '-F', config, ...files, `rexec-${container.name}:/tmp/some`);
  expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining('one: Is a directory')]);
  const { output } = await castOf(door, (await newestIn(container, '--kind=files')).id);
  expect(output).toMatch(/upload \/tmp\/some\/one \(0 bytes\): .*Is a directory/);
  expect(output).toContain(`upload /tmp/some/two (${files[1]?.length} bytes): ok`);
});

it('rsync is a program like others, and its files arrive', async () => {
  const box = await runToolContainer(['--network=none']);
  try {
    await door.ssh(`recording set ${box.name} required`);
    await writeFile(join(folder, 'synced'), 'x'.repeat(50_000));
    const remote = `rexec-${box.name}:/tmp/`;
    const ran = await tools('rsync', '-a', '-e', `ssh -F ${config}`, join(folder, 'synced'), remote);
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(await box.sh('wc -c </tmp/synced')).toBe('50000');
    const [log] = await listRecordings(door, `--target=${box.name}`);
    expect(log).toMatchObject({ kind: 'exec', required: true, state: 'finished', end: { exitStatus: 0 } });
    expect(log?.command).toMatch(/^rsync --server /);
  } finally {
    await box.remove();
  }
});
