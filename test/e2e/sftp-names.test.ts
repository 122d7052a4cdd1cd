/** Names that are awkward, and folders and files that are large, through the SFTP server of the gateway. */

import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  FileFailure,
  type FileOperations,
  type FolderEntry,
} from '../../src/targets/container/sftp/file-operations.ts';
import { createHelperChannel } from '../../src/targets/container/sftp/helper-channel.ts';
import { helperScript } from '../../src/targets/container/sftp/helper-script.ts';
import { createShellFiles } from '../../src/targets/container/sftp/shell-files.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';

const openMode = {
  read: true,
  write: true,
  append: false,
  create: true,
  truncate: true,
  exclusive: false,
  permissions: undefined,
};
const everyByte = Array.from({ length: 255 }, (_, n) => n + 1).filter((byte) => byte !== 0x2f);
const names = [
  'with space',
  ' ',
  "it's",
  '"quoted"',
  'new\nline',
  'ends in newline\n\n',
  '-rf',
  '--help',
  '$(kill $$)',
  '`kill $$`',
  '; kill $$;',
  '\\0101\\n',
  '%s%n',
  '*',
  '?',
  '[a]',
  '...',
  '~',
  '\xff\xfe\x80 no UTF-8',
  '\u001b[31mred',
  Buffer.from('ünïcödé 漢字').toString('latin1'),
  String.fromCharCode(...everyByte.slice(0, 127)),
  String.fromCharCode(...everyByte.slice(127)),
];

async function listOf(files: FileOperations, path: string): Promise<readonly FolderEntry[]> {
  const folder = await files.openFolder(path);
  const all: FolderEntry[] = [];
  for (let some = await folder.read(); some.length > 0; some = await folder.read()) all.push(...some);
  return all;
}

describe.each([
  ['busybox', images.busybox, 'sh'],
  ['dash and coreutils', images.debian, 'sh'],
  ['bash and coreutils', images.debian, 'bash'],
])('through %s', (_name, image, shell) => {
  let container: TestContainer;
  let files: FileOperations;
  let end: () => void;
  beforeAll(async () => {
    container = await runContainer(image);
    const child = spawn('docker', [
      'exec',
      '-i',
      '-u',
      'app',
      '-e',
      'LC_ALL=C',
      container.id,
      shell,
      '-c',
      helperScript,
    ]);
    const helper = createHelperChannel(child.stdin);
    child.stdout.on('data', helper.feed);
    child.on('close', helper.end);
    child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
    files = createShellFiles(helper, new Map());
    end = () => child.stdin.end();
    await files.makeFolder('/tmp/names', undefined);
  });
  afterAll(async () => {
    end();
    await container.remove();
  });

  const write = async (path: string, data: Buffer) => {
    const file = await files.open(path, openMode);
    await file.write(0, [data]);
    await file.close();
  };

  it.each(names.map((name) => [JSON.stringify(name), name]))(
    '%s is a name like any other',
    async (_told, name) => {
      const path = `/tmp/names/${name}`;
      const content = randomBytes(100);
      await write(path, content);
      expect((await listOf(files, '/tmp/names')).map((each) => each.name).sort()).toEqual(
        ['.', '..', name].sort(),
      );
      expect(await files.stat(path, true)).toMatchObject({ size: 100, uid: 1000 });
      await files.symbolicLink(name, '/tmp/names/link');
      expect(await files.readLink('/tmp/names/link')).toBe(name);
      expect(await files.resolve('/tmp/names/link')).toBe(path);
      await files.rename(path, `${path}2`, false);
      await files.rename(`${path}2`, path, true);
      const file = await files.open(path, { ...openMode, truncate: false, create: false, write: false });
      expect(await file.read(0, 1_000)).toEqual(content);
      await file.close();
      await files.remove('/tmp/names/link');
      await files.remove(path);
      await files.makeFolder(path, 0o700);
      expect((await files.stat(path, false)).mode & 0o7777).toBe(0o700);
      await files.removeFolder(path);
      expect(await listOf(files, '/tmp/names')).toHaveLength(2);
    },
  );

  it('a name cannot add entries to a listing, nor end an answer', async () => {
    const lie = 'x\n0123456789abcdef0123456789abcdef 81a4 1 0 0 0 0 1 .\xb7fake';
    await write(`/tmp/names/${lie}`, Buffer.alloc(0));
    expect((await listOf(files, '/tmp/names')).map((each) => each.name)).toEqual(['.', '..', lie]);
    await files.remove(`/tmp/names/${lie}`);
  });

  it('10,000 entries are listed whole', async () => {
    await container.sh('mkdir /tmp/many && cd /tmp/many && seq 10000 | xargs touch');
    const msOf = async (work: () => Promise<unknown>) => {
      const started = performance.now();
      await work();
      return performance.now() - started;
    };
    const tookMs = await msOf(async () => {
      expect(await listOf(files, '/tmp/many')).toHaveLength(10_002);
    });
    // On a machine that does other things besides: sooner than a program each for a tenth of them.
    const each = 'for n in $(seq 1000); do stat -c %f .; done >/dev/null';
    if (tookMs >= 5_000) expect(tookMs).toBeLessThan(await msOf(() => container.sh(each)));
  });

  it('an open file is followed through a rename; removed, it is not made again', async () => {
    const file = await files.open('/tmp/names/a', openMode);
    await file.write(0, [Buffer.from('one')]);
    await files.rename('/tmp/names/a', '/tmp/names/b', false);
    await file.write(3, [Buffer.from('two')]);
    expect(await file.read(0, 10)).toEqual(Buffer.from('onetwo'));
    await files.remove('/tmp/names/b');
    await expect(file.write(6, [Buffer.from('x')])).rejects.toThrow(FileFailure);
    await expect(files.stat('/tmp/names/b', true)).rejects.toMatchObject({ kind: 'no-such-file' });
  });

  it('random places are read and written where they are, and writing is seen at once', async () => {
    const content = randomBytes(5_000_000);
    await write('/tmp/random', content);
    const file = await files.open('/tmp/random', { ...openMode, truncate: false });
    for (const [offset, length] of [
      [0, 40_000],
      [40_000, 300_000],
      [4_999_990, 100],
      [1_048_570, 20],
      [7, 1],
      [6_000_000, 5],
    ] as const) {
      expect((await file.read(offset, length)).equals(content.subarray(offset, offset + length))).toBe(true);
    }
    for (let offset = 0; offset < content.length; offset += 255 * 1024) {
      const wanted = content.subarray(offset, offset + 255 * 1024);
      expect((await file.read(offset, 255 * 1024)).equals(wanted)).toBe(true);
    }
    content.set([1, 2, 3], 1_000);
    await file.write(1_000, [Buffer.from([1, 2, 3])]);
    expect((await file.read(0, 4_000)).equals(content.subarray(0, 4_000))).toBe(true);
    expect((await file.read(content.length, 10)).length).toBe(0);
    await container.sh('printf more >>/tmp/random');
    await pause(600);
    expect((await file.read(content.length, 10)).toString()).toBe('more');
    const sum = createHash('sha256').update(content).update('more').digest('hex');
    expect(await container.sh('sha256sum </tmp/random')).toContain(sum);
  });

  it.each<[string, string, (path: string) => Promise<unknown>]>([
    ['no-such-file', '/tmp/absent', (path) => files.stat(path, true)],
    ['no-such-file', '/tmp/absent', (path) => listOf(files, path)],
    ['no-such-file', '/tmp/absent', (path) => files.remove(path)],
    ['no-such-file', '/tmp/absent', (path) => files.rename(path, '/tmp/other', true)],
    ['no-such-file', '/tmp/absent', (path) => files.setAttributes(path, { size: 1 }, true)],
    ['no-such-file', '/tmp/absent', (path) => files.setAttributes(path, { atime: 1, mtime: 1 }, true)],
    ['no-such-file', '/tmp/absent', (path) => files.open(path, { ...openMode, create: false })],
    ['no-such-file', '/absent/file', (path) => files.open(path, openMode)],
    ['no-such-file', '/tmp/absent', (path) => files.readLink(path)],
    ['permission-denied', '/etc/passwd', (path) => files.open(path, openMode)],
    ['permission-denied', '/etc/passwd', (path) => files.remove(path)],
    ['permission-denied', '/etc/new', (path) => files.makeFolder(path, undefined)],
    ['permission-denied', '/etc/passwd', (path) => files.setAttributes(path, { mode: 0o666 }, true)],
    ['permission-denied', '/etc/passwd', (path) => files.rename(path, '/tmp/other', true)],
    ['failure', '/tmp', (path) => files.open(path, openMode)],
    ['failure', '/tmp', (path) => files.makeFolder(path, undefined)],
    ['failure', '/etc/passwd', (path) => listOf(files, path)],
    ['failure', '/etc', (path) => files.removeFolder(path)],
    ['failure', '/tmp', (path) => files.readLink(path)],
    ['failure', '/etc/passwd', (path) => files.symbolicLink('x', path)],
    ['failure', '/etc/passwd', (path) => files.hardLink(path, '/etc/group')],
  ])('%s: %s', async (kind, path, run) => {
    // Permission may be missing before anything else is looked at.
    const expected = path === '/etc' ? ['failure', 'permission-denied'] : [kind];
    const error = await run(path).then(
      () => undefined,
      (reason) => reason as FileFailure,
    );
    expect(expected).toContain(error?.kind);
  });

  it('a file opened to be read is not written, one opened to be written not read', async () => {
    await write('/tmp/once', Buffer.from('content'));
    const reading = await files.open('/tmp/once', { ...openMode, write: false, truncate: false });
    await expect(reading.write(0, [Buffer.from('x')])).rejects.toThrow(FileFailure);
    const writing = await files.open('/tmp/once', { ...openMode, read: false, truncate: false });
    await expect(writing.read(0, 1)).rejects.toThrow(FileFailure);
    expect((await reading.read(0, 10)).toString()).toBe('content');
  });

  it('EXCL refuses what is there; modes, times and sizes are set as asked', async () => {
    const exclusive = { ...openMode, truncate: false, exclusive: true, permissions: 0o751 };
    await (await files.open('/tmp/excl', exclusive)).close();
    await expect(files.open('/tmp/excl', exclusive)).rejects.toMatchObject({ kind: 'failure' });
    expect((await files.stat('/tmp/excl', true)).mode & 0o7777).toBe(0o751);
    await files.setAttributes('/tmp/excl', { size: 77, mode: 0o600, atime: 1e9, mtime: 1.5e9 }, true);
    expect(await files.stat('/tmp/excl', true)).toMatchObject({
      size: 77,
      mode: 0o100600,
      atime: 1e9,
      mtime: 1.5e9,
    });
    await files.symbolicLink('absent', '/tmp/dangling');
    await files.setAttributes('/tmp/dangling', { atime: 1e9, mtime: 1e9 }, false);
    expect((await files.stat('/tmp/dangling', false)).mtime).toBe(1e9);
  });
});
