/** Files of containers without an sftp-server, with the real sftp and scp. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEngine } from '../support/container-engine.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Outcome, runProgram } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';

let doors: readonly TestGateway[];
let configs: Readonly<Record<'shell' | 'resident', string>>;
let folder: string;
beforeAll(async () => {
  const withoutResidents = createTestEngine({ residentIdleMs: 0 });
  doors = await Promise.all([
    startTestGateway({ overrides: { engine: withoutResidents } }),
    startTestGateway(),
  ]);
  const [shell, resident] = await Promise.all(doors.map((door) => sshConfigFile(door)));
  configs = { shell: shell as string, resident: resident as string };
  folder = await mkdtemp(join(tmpdir(), 'postern-files-'));
});
afterAll(() => Promise.all(doors.map((door) => door.stop())));

const withoutServer = 'rm -f /usr/lib/openssh/sftp-server /usr/lib/sftp-server';

/** Debian's own sftp-server is taken away: what is left is dash and coreutils. */
describe.each([
  ['busybox', 'shell', images.busybox, 'true'],
  ['Debian without an sftp-server', 'shell', images.debian, withoutServer],
  ['bash', 'shell', images.debian, `${withoutServer}; ln -sf bash /bin/sh`],
  ['busybox', 'resident', images.busybox, 'true'],
] as const)('files in %s, by %s', (_name, way, image, prepare) => {
  const config = () => configs[way];
  let container: TestContainer;
  beforeAll(async () => {
    container = await runContainer(image, ['--tmpfs', '/small:size=1m,mode=1777']);
    await container.sh(prepare);
  });
  afterAll(() => container.remove());

  const sftp = (batch: string, user = 'app'): Promise<Outcome> =>
    runProgram('sftp', ['-q', '-F', config(), '-b', '-', `${user}@rexec-${container.name}`], {
      stdin: batch,
      timeoutMs: 60_000,
    });
  const scp = (...args: readonly string[]) => runProgram('scp', ['-q', '-F', config(), ...args]);
  const at = (path: string) => `app@rexec-${container.name}:${path}`;
  const local = async (name: string, content: Buffer | string) => {
    const file = join(folder, name);
    await writeFile(file, content);
    return file;
  };

  it('put, ls, get, mkdir, rename, rm, rmdir, ln, chmod and df do what they say, as that user', async () => {
    const up = await local('up.bin', randomBytes(300_000));
    const outcome = await sftp(
      [
        'pwd',
        'mkdir "a folder"',
        `put ${up} "a folder/one"`,
        'rename "a folder/one" "a folder/two"',
        'ln -s two "a folder/link"',
        'ln "a folder/two" "a folder/hard"',
        'chmod 640 "a folder/two"',
        'ls -ln "a folder"',
        `get "a folder/link" ${folder}/down.bin`,
        'rm a\\ folder/*',
        'rmdir "a folder"',
        'df /tmp',
        'ls -1',
      ].join('\n'),
    );
    expect([outcome.stderr, outcome.status]).toEqual(['', 0]);
    expect(outcome.text).toMatch(/Remote working directory: \/home\/app\n/);
    expect(outcome.text).toMatch(/-rw-r----- +\S+ +1000 +1000 +300000 .* a folder\/two\n/);
    expect(await readFile(join(folder, 'down.bin'))).toEqual(await readFile(up));
  });

  it('scp, both ways, keeps content, mode and time with -p, and takes folders with -r', async () => {
    const up = await local('mode.sh', 'echo hi\n');
    await runProgram('chmod', ['750', up]);
    await runProgram('touch', ['-d', '2020-02-02 02:02:02Z', up]);
    expect((await scp('-p', up, at('/tmp/mode.sh'))).stderr).toBe('');
    expect(await container.sh('stat -c "%a %u %Y" /tmp/mode.sh')).toBe('750 1000 1580608922');
    await container.sh('mkdir -p /tmp/tree/b; echo 1 >/tmp/tree/a; echo 2 >/tmp/tree/b/c');
    expect((await scp('-r', at('/tmp/tree'), join(folder, `tree-${container.name}`))).stderr).toBe('');
    expect(await readFile(join(folder, `tree-${container.name}`, 'b/c'), 'utf8')).toBe('2\n');
    expect((await scp('-r', join(folder, `tree-${container.name}`), at('/tmp/back'))).stderr).toBe('');
    expect(await container.sh('cat /tmp/back/a /tmp/back/b/c')).toBe('1\n2');
  });

  it('an empty file, one byte, and 32 MiB arrive whole', async () => {
    for (const size of [0, 1, 32_768, 261_121, 32 * 1024 * 1024]) {
      const content = randomBytes(size);
      const up = await local('size.bin', content);
      const outcome = await sftp(`put ${up} /tmp/size\nget /tmp/size ${folder}/size.back`);
      expect([outcome.stderr, outcome.status]).toEqual(['', 0]);
      expect((await readFile(join(folder, 'size.back'))).equals(content)).toBe(true);
      const sum = createHash('sha256').update(content).digest('hex');
      expect(await container.sh('sha256sum </tmp/size')).toContain(sum);
    }
  });

  it('an interrupted transfer is resumed by reput and reget', async () => {
    const content = randomBytes(3_000_000);
    const up = await local('resume.bin', content);
    await container.sh('rm -f /tmp/part');
    await scp(await local('part.bin', content.subarray(0, 1_234_567)), at('/tmp/part'));
    expect((await sftp(`reput ${up} /tmp/part`)).stderr).toBe('');
    expect(await container.sh('sha256sum </tmp/part')).toContain(
      createHash('sha256').update(content).digest('hex'),
    );
    const down = await local('resume.back', content.subarray(0, 777_777));
    expect((await sftp(`reget /tmp/part ${down}`)).stderr).toBe('');
    expect((await readFile(down)).equals(content)).toBe(true);
  });

  it('what fails says why, and a broken upload is never a success', async () => {
    const big = await local('big.bin', randomBytes(3_000_000));
    const full = await sftp(`put ${big} /small/big`);
    expect([full.status, full.stderr]).toEqual([1, expect.stringMatching(/Failure|No space left/)]);
    await container.sh('rm -f /small/*');
    const refused = await sftp(`put ${big} /etc/passwd`);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
    const absent = await sftp('get /absent/file');
    expect([absent.status, absent.stderr]).toEqual([1, expect.stringMatching(/not found|No such file/)]);
    const nowhere = await sftp(`put ${big} /absent/file`);
    expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringContaining('No such file')]);
    await container.sh('touch /root/secret; chmod 700 /root');
    const hidden = await sftp('ls /root/');
    expect([hidden.status, hidden.stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
  });

  it('what is no SFTP ends the session with a sentence', async () => {
    const args = ['-F', config(), '-s', `app@rexec-${container.name}`, 'sftp'];
    const outcome = await runProgram('ssh', args, { stdin: 'GET / HTTP/1.1\r\n\r\n' });
    expect([outcome.status, outcome.stderr]).toEqual([255, expect.stringContaining('what is no SFTP')]);
  });
});
