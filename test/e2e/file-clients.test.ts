/** sshfs, and what scp and sftp do with large files and folders, with and without an sftp-server in the image. */
import { randomBytes } from 'node:crypto';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';

/** In `npm run soak` 5 GiB. */
const largeMib = Number(process.env['POSTERN_LARGE_FILE_MIB'] ?? 48);

let door: TestGateway;
let config: string;
let folder: string;
beforeAll(async () => {
  door = await startTestGateway();
  config = await sshConfigFile(door);
  folder = door.folder;
});
afterAll(() => door.stop());

describe.each([
  ['its own sftp-server', images.debian],
  ['busybox', images.busybox],
])('an image with %s', (_name, image) => {
  let container: TestContainer;
  let mounted: string;
  beforeAll(async () => {
    container = await runContainer(image, ['--tmpfs', '/small:size=1m,mode=1777']);
    mounted = await mkdtemp(join(folder, 'mounted-'));
    // Attributes are asked for each time, so that what is compared is what the container holds.
    const options = ['-F', config, '-o', 'cache=no', '-o', 'reconnect'];
    const outcome = await runProgram('sshfs', [...options, `app@rexec-${container.name}:/`, mounted]);
    expect([outcome.stderr, outcome.status]).toEqual(['', 0]);
  });
  afterAll(async () => {
    await runProgram('fusermount3', ['-u', mounted]);
    await container.remove();
  });
  const inside = (...parts: readonly string[]) => join(mounted, 'tmp', ...parts);
  const sftp = (batch: string) =>
    runProgram('sftp', ['-q', '-F', config, '-b', '-', `app@rexec-${container.name}`], {
      stdin: batch,
      timeoutMs: 60_000,
    });

  it('is a folder by sshfs: files, folders, links, modes and times', async () => {
    await mkdir(inside('d'));
    await writeFile(inside('d/one'), 'first\n');
    await appendFile(inside('d/one'), 'second\n');
    await rename(inside('d/one'), inside('d/two'));
    await writeFile(inside('d/old'), 'old');
    // Over what is there, as editors save.
    await rename(inside('d/two'), inside('d/old'));
    await symlink('old', inside('d/link'));
    await chmod(inside('d/old'), 0o640);
    await utimes(inside('d/old'), 1e9, 1.5e9);
    expect(await readlink(inside('d/link'))).toBe('old');
    expect(await container.sh('stat -c "%a %u %Y %X" /tmp/d/old')).toBe('640 1000 1500000000 1000000000');
    expect(await readFile(inside('d/link'), 'utf8')).toBe('first\nsecond\n');
    await truncate(inside('d/old'), 5);
    expect(await container.sh('cat /tmp/d/old')).toBe('first');
    await rm(inside('d'), { recursive: true });
    expect(await container.sh('ls /tmp/d 2>&1 || true')).toContain('No such file');
  });

  it('takes any name by sshfs, and gives each back', async () => {
    const names = ['a b', "it's", '"q"', '-rf', '$(id)', 'new\nline', '*', '\\', 'ünï'].map((name) =>
      Buffer.from(name),
    );
    names.push(Buffer.from([0xff, 0xfe, 0x80, 0x20]));
    await mkdir(inside('names'));
    for (const name of names) await writeFile(Buffer.concat([Buffer.from(inside('names/')), name]), name);
    const found = await readdir(inside('names'), { encoding: 'buffer' });
    const sorted = (list: readonly Buffer[]) => list.map((name) => name.toString('latin1')).sort();
    expect(sorted(found)).toEqual(sorted(names));
    for (const name of names) {
      expect(await readFile(Buffer.concat([Buffer.from(inside('names/')), name]))).toEqual(name);
    }
  });

  it('fails by sshfs with what failed: ENOENT, EACCES, EEXIST, and never a write that was lost', async () => {
    await expect(stat(inside('absent'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(writeFile(join(mounted, 'etc/passwd'), 'x')).rejects.toMatchObject({ code: 'EACCES' });
    await expect(readdir(join(mounted, 'root/secret'))).rejects.toMatchObject({
      code: expect.stringMatching(/EACCES|ENOENT/),
    });
    await mkdir(inside('once'));
    await expect(mkdir(inside('once'))).rejects.toMatchObject({
      code: expect.stringMatching(/EEXIST|EPERM/),
    });
    await expect(writeFile(join(mounted, 'small/big'), randomBytes(3_000_000))).rejects.toThrow();
    await container.sh('rm -f /small/*');
  });

  it('is written and read at random places by sshfs', async () => {
    const content = randomBytes(2_000_000);
    await writeFile(inside('random'), content);
    const file = await open(inside('random'), 'r+');
    for (const [at, text] of [
      [1_999_995, 'at the end'],
      [0, 'start'],
      [777_777, 'middle'],
    ] as const) {
      await file.write(Buffer.from(text), 0, text.length, at);
      const { buffer } = await file.read(Buffer.alloc(text.length), 0, text.length, at);
      expect(buffer.toString()).toBe(text);
    }
    await file.close();
    expect((await stat(inside('random'))).size).toBe(2_000_005);
  });

  it('lists 10,000 entries by sftp, and copies a folder of 300 files by scp', async () => {
    await container.sh('mkdir -p /tmp/many && cd /tmp/many && seq 10000 | xargs touch');
    const listed = await sftp('ls -1 /tmp/many');
    expect(listed.text.split('\n').filter((line) => /^\/tmp\/many\/\d+$/.test(line))).toHaveLength(10_000);
    const some = await mkdtemp(join(folder, 'some-'));
    for (let n = 0; n < 300; n++) await writeFile(join(some, `file ${n}`), `${n}\n`);
    const up = await runProgram('scp', ['-qrp', '-F', config, some, `app@rexec-${container.name}:/tmp/some`]);
    expect([up.stderr, up.status]).toEqual(['', 0]);
    const back = join(folder, `back-${container.name}`);
    const down = await runProgram('scp', [
      '-qrp',
      '-F',
      config,
      `app@rexec-${container.name}:/tmp/some`,
      back,
    ]);
    expect([down.stderr, down.status]).toEqual(['', 0]);
    expect(await runProgram('diff', ['-r', some, back])).toMatchObject({ text: '', status: 0 });
  });

  it(`${largeMib} MiB go whole by scp, up and down`, async () => {
    const [up, down] = [join(folder, 'large'), join(folder, `large-${container.name}`)];
    // Parts that differ, with holes between them.
    const file = await open(up, 'w');
    for (let mib = 0; mib < largeMib; mib += 8)
      await file.write(randomBytes(2 ** 20), 0, 2 ** 20, mib * 2 ** 20);
    await file.truncate(largeMib * 2 ** 20);
    await file.close();
    const timeoutMs = 3_000_000;
    const scp = (from: string, to: string) =>
      runProgram('scp', ['-q', '-F', config, from, to], { timeoutMs });
    const sumOf = async (path: string) =>
      (await runProgram('sha256sum', [path], { timeoutMs })).text.split(' ')[0];
    const remote = `app@rexec-${container.name}:/tmp/large`;
    expect((await scp(up, remote)).stderr).toBe('');
    expect((await container.sh('sha256sum /tmp/large')).split(' ')[0]).toBe(await sumOf(up));
    expect((await scp(remote, down)).stderr).toBe('');
    expect(await sumOf(down)).toBe(await sumOf(up));
    await Promise.all([rm(up), rm(down), container.sh('rm /tmp/large')]);
  });

  it('holds files beyond 4 GiB: their ends are read and written where they are', async () => {
    const size = 5 * 1024 ** 3;
    await container.sh(`cd /tmp && rm -f huge && truncate -s ${size} huge && chown app huge`);
    const file = await open(inside('huge'), 'r+');
    await file.write(Buffer.from('the end'), 0, 7, size - 7);
    await file.write(Buffer.from('beyond 4 GiB'), 0, 12, 2 ** 32 + 5);
    await file.close();
    expect((await stat(inside('huge'))).size).toBe(size);
    expect(await container.sh('tail -c 7 /tmp/huge')).toBe('the end');
    // Only the last part of it is fetched.
    const kept = join(folder, `huge-${container.name}`);
    await writeFile(kept, '');
    await truncate(kept, size - 1_000_000);
    const resumed = await sftp(`reget /tmp/huge ${kept}`);
    expect([resumed.stderr, resumed.status]).toEqual(['', 0]);
    const local = await open(kept);
    const { buffer } = await local.read(Buffer.alloc(7), 0, 7, size - 7);
    await local.close();
    expect([buffer.toString(), (await stat(kept)).size]).toEqual(['the end', size]);
    await rm(kept);
    await container.sh('rm /tmp/huge');
  });
});
