/** Files of a container without any program for it: the resident serves them, with the rights of the session's user. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';

let door: TestGateway;
let container: TestContainer;
let config: string;
let folder: string;
beforeAll(async () => {
  door = await startTestGateway();
  config = await sshConfigFile(door);
  folder = await mkdtemp(join(tmpdir(), 'postern-noshell-'));
  const options = ['-i', '--tmpfs', '/small:size=1m,mode=1777', '--tmpfs', '/work:mode=1777'];
  container = await runContainer(images.noshell, options, ['/bin/cat']);
});
afterAll(async () => {
  await container.remove();
  await door.stop();
});

const sftp = (batch: string, user = 'root') =>
  runProgram('sftp', ['-q', '-F', config, '-b', '-', `${user}@rexec-${container.name}`], {
    stdin: batch,
    timeoutMs: 60_000,
  });
const local = async (name: string, content: Buffer | string) => {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
};

it('put, get, ls, mkdir, rename, chmod, ln, df and rm do what they say', async () => {
  const content = randomBytes(2_000_000);
  const up = await local('up.bin', content);
  const outcome = await sftp(
    [
      'cd /work',
      'mkdir "a folder"',
      `put ${up} "a folder/one"`,
      'rename "a folder/one" "a folder/two\\\\3"',
      'chmod 640 "a folder/two\\\\3"',
      'ln -s "two\\\\3" "a folder/link"',
      'ls -ln "a folder"',
      `get "a folder/link" ${folder}/down.bin`,
      'df /work',
    ].join('\n'),
  );
  expect([outcome.stderr, outcome.status]).toEqual(['', 0]);
  expect(outcome.text).toMatch(/-rw-r----- +\S+ +0 +0 +2000000 /);
  expect((await readFile(join(folder, 'down.bin'))).equals(content)).toBe(true);
  expect(
    await docker('exec', container.id, '/bin/cat', '/work/a folder/two\\3').then((text) => text.length),
  ).toBeGreaterThan(0);
});

it('scp takes folders both ways, with modes and times, and resumes by reget', async () => {
  const up = await local('mode.sh', 'echo hi\n');
  await runProgram('chmod', ['750', up]);
  await runProgram('touch', ['-d', '2020-02-02 02:02:02Z', up]);
  const scp = (...args: readonly string[]) => runProgram('scp', ['-q', '-F', config, ...args]);
  const at = (path: string) => `root@rexec-${container.name}:${path}`;
  expect((await scp('-rp', folder, at('/work/tree'))).stderr).toBe('');
  expect((await scp('-rp', at('/work/tree'), join(folder, 'back'))).stderr).toBe('');
  const facts = await stat(join(folder, 'back', 'mode.sh'));
  expect([facts.mode & 0o777, facts.mtimeMs]).toEqual([0o750, 1_580_608_922_000]);
  const part = await local('part', (await readFile(join(folder, 'up.bin'))).subarray(0, 777_777));
  expect((await sftp(`reget /work/tree/up.bin ${part}`)).stderr).toBe('');
  expect((await readFile(part)).equals(await readFile(join(folder, 'up.bin')))).toBe(true);
});

it("a full disk, a missing file and another user's file each say so", async () => {
  const up = await local('big.bin', randomBytes(3_000_000));
  const full = await sftp(`put ${up} /small/big`);
  expect([full.status, full.stderr]).toEqual([1, expect.stringMatching(/Failure|No space left/)]);
  const absent = await sftp('get /absent/file');
  expect([absent.status, absent.stderr]).toEqual([1, expect.stringMatching(/not found|No such file/)]);
  const refused = await sftp(`put ${up} /bin/cat`, '1234');
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
});

it("the files that a user makes are theirs, not root's", async () => {
  const up = await local('mine', 'mine');
  const outcome = await sftp(`put ${up} /work/mine\nls -ln /work/mine`, '1234');
  expect(outcome.text).toMatch(/ 1234 +0 +4 .* \/work\/mine/);
});

it('fifo-hold: a pipe that nobody writes to holds neither its reader nor anybody else', async () => {
  await sftp('rm /work/pipe');
  const pipe = await docker(
    'run',
    '--rm',
    '-v',
    `${folder}:/host`,
    images.busybox,
    'mkfifo',
    '/host/pipe',
  ).catch(String);
  expect(pipe).toBe('');
  const other = await runContainer(images.noshell, ['-i', '-v', `${folder}:/host`], ['/bin/cat']);
  try {
    const from = (batch: string) =>
      runProgram('sftp', ['-q', '-F', config, '-b', '-', `root@rexec-${other.name}`], {
        stdin: batch,
        timeoutMs: 60_000,
      });
    const outcomes = await Promise.all([
      ...Array.from({ length: 8 }, () => from(`-get /host/pipe ${folder}/nothing`)),
      from('ls -1 /host'),
    ]);
    expect(outcomes.at(-1)?.text).toContain('/host/pipe');
    expect(outcomes.map(({ status }) => status)).toEqual(Array(9).fill(0));
  } finally {
    await other.remove();
  }
});

it('a container that is killed in the middle ends the transfer with a sentence, not with a success', async () => {
  const work = await mkdtemp(join(folder, 'work-'));
  const other = await runContainer(images.noshell, ['-i', '-v', `${work}:/work`], ['/bin/cat']);
  const zeros = await local('zeros', Buffer.alloc(200_000_000));
  // 10 MB a second at most: it is in its middle for twenty seconds.
  const args = ['-l', '80000', '-F', config, zeros, `root@rexec-${other.name}:/work/zeros`];
  const sending = runProgram('scp', args, { timeoutMs: 60_000 });
  const arrived = () => stat(join(work, 'zeros')).catch(() => ({ size: 0 }));
  await expect.poll(async () => (await arrived()).size, { timeout: 30_000 }).toBeGreaterThan(0);
  await docker('kill', other.id);
  const outcome = await sending;
  expect(outcome.status).not.toBe(0);
  await other.remove();
});
