import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createRecordingFolder,
  isRecordingId,
  recordingsFolder,
} from '../../../src/recordings/recording-folder.ts';

const id = 'abcdefghijklmnop';
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'postern-recordings-'));
});

describe('the folder of recordings', () => {
  it('is made when it is needed, for its owner alone, and lists its files by their time', async () => {
    const folder = createRecordingFolder(dataDir);
    expect(await folder.list()).toEqual([]);
    for (const [each, at] of [
      ['bbbbbbbbbbbbbbbb', 20],
      [id, 10],
    ] as const) {
      const handle = await folder.create(each, at);
      await handle.appendFile('text');
      await handle.close();
    }
    const path = recordingsFolder(dataDir);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    const files = await folder.list();
    expect(files.map((file) => [file.id, file.startedAtMs])).toEqual([
      [id, 10],
      ['bbbbbbbbbbbbbbbb', 20],
    ]);
    expect((await stat(join(path, files[0]?.name ?? ''))).mode & 0o777).toBe(0o600);
  });

  it.each(['../../etc/passwd', '..', 'a/b', 'web', '', `${id}\0`, `${id}/../x`, 'ABCDEFGHIJKLMNOP'])(
    'path-escape: an id that is none of ours names no file: %j',
    async (hostile) => {
      expect(isRecordingId(hostile)).toBe(false);
      await expect(createRecordingFolder(dataDir).create(hostile, 1)).rejects.toThrow(
        'by an id of ours alone',
      );
      expect(await readdir(dataDir)).toEqual([]);
    },
  );

  it('removes what somebody else removed meanwhile', async () => {
    const folder = createRecordingFolder(dataDir);
    await (await folder.create(id, 1)).close();
    const [file] = await folder.list();
    await Promise.all([folder.remove(file as never), folder.remove(file as never)]);
    expect(await folder.list()).toEqual([]);
  });

  it('path-escape: what else lies there is no recording', async () => {
    const folder = createRecordingFolder(dataDir);
    await (await folder.create(id, 1)).close();
    for (const name of ['notes', `1-${id}.cast`, `0000000000002-${id}.cast.old`, '..cast']) {
      await writeFile(join(recordingsFolder(dataDir), name), '');
    }
    expect(await folder.list()).toHaveLength(1);
  });

  it('symlink: a folder that leads elsewhere is not written to, nor a file that does', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'postern-elsewhere-'));
    await symlink(elsewhere, recordingsFolder(dataDir));
    await expect(createRecordingFolder(dataDir).create(id, 1)).rejects.toMatchObject({
      code: expect.stringMatching(/ELOOP|ENOTDIR/),
    });
    expect(await readdir(elsewhere)).toEqual([]);
    await rm(recordingsFolder(dataDir));
    await mkdir(recordingsFolder(dataDir));
    const victim = join(elsewhere, 'victim');
    await writeFile(victim, 'precious');
    await symlink(victim, join(recordingsFolder(dataDir), `0000000000001-${id}.cast`));
    await expect(createRecordingFolder(dataDir).create(id, 1)).rejects.toMatchObject({ code: 'EEXIST' });
    const [file] = await createRecordingFolder(dataDir).list();
    await expect(createRecordingFolder(dataDir).open(file as never)).rejects.toMatchObject({ code: 'ELOOP' });
    expect(await readFile(victim, 'utf8')).toBe('precious');
  });
});
