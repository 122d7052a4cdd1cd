/** `scp -O`, and what else speaks rcp's protocol, into images that have no scp. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEngine } from '../support/container-engine.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';

let doors: readonly TestGateway[];
let configs: Readonly<Record<'resident' | 'shell', string>>;
let folder: string;
beforeAll(async () => {
  const overrides = { engine: createTestEngine({ residentIdleMs: 0 }) };
  doors = await Promise.all([startTestGateway(), startTestGateway({ overrides })]);
  const [resident, shell] = (await Promise.all(doors.map((door) => sshConfigFile(door)))) as [string, string];
  configs = { resident, shell };
  folder = await mkdtemp(join(tmpdir(), 'postern-scp-'));
});
afterAll(() => Promise.all(doors.map((door) => door.stop())));

describe.each([
  ['busybox', 'resident', images.busybox, 'true'],
  ['busybox', 'shell', images.busybox, 'true'],
  ['Debian without scp', 'shell', images.debian, 'rm /usr/bin/scp; ln -sf bash /bin/sh'],
] as const)('scp -O in %s, by %s', (_name, way, image, prepare) => {
  let container: TestContainer;
  let here: string;
  beforeAll(async () => {
    container = await runContainer(image, ['--tmpfs', '/small:size=1m,mode=1777']);
    await container.sh(prepare);
    here = await mkdtemp(join(folder, 'case-'));
  });
  afterAll(() => container.remove());

  const scp = (...args: readonly string[]) =>
    runProgram('scp', ['-O', '-q', '-F', configs[way], ...args], { timeoutMs: 60_000 });
  const at = (path: string) => `app@rexec-${container.name}:${path}`;
  const local = async (name: string, content: Buffer | string) => {
    await writeFile(join(here, name), content);
    return join(here, name);
  };

  it('takes a file and gives it back, mode and time kept with -p, owned by the user', async () => {
    const content = randomBytes(5_000_001);
    const up = await local('up.bin', content);
    await runProgram('chmod', ['750', up]);
    await runProgram('touch', ['-d', '2020-02-02 02:02:02Z', up]);
    expect(await scp('-p', up, at('/tmp/kept'))).toMatchObject({ stderr: '', status: 0 });
    expect(await container.sh('stat -c "%a %u %Y %s" /tmp/kept')).toBe('750 1000 1580608922 5000001');
    expect(await scp('-p', at('/tmp/kept'), join(here, 'back'))).toMatchObject({ stderr: '', status: 0 });
    expect((await readFile(join(here, 'back'))).equals(content)).toBe(true);
    const back = await runProgram('stat', ['-c', '%a %Y', join(here, 'back')]);
    expect(back.text).toBe('750 1580608922\n');
    // What was longer before is not longer afterwards; a path without a slash is in the home.
    expect((await scp(await local('short', 'x'), at('/tmp/kept'))).status).toBe(0);
    expect((await scp(await local('empty', ''), at(''))).status).toBe(0);
    expect(await container.sh('cat /tmp/kept; stat -c %s-%U ~app/empty')).toBe('x0-app');
  });

  it('takes trees with -r, whatever their names are', async () => {
    const tree = join(here, 'tree');
    await mkdir(join(tree, 'a folder/deep/er'), { recursive: true });
    const names = ['with space', "it's", '"q"', '-rf', '$(id)', 'back\\slash', '*', '~', 'ünïcödé'];
    for (const name of names) await writeFile(join(tree, 'a folder', name), name);
    const odd = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x20])]);
    await writeFile(odd, 'no UTF-8');
    await writeFile(join(tree, 'a folder/deep/er/empty'), '');
    expect(await scp('-rp', tree, at('/tmp/'))).toMatchObject({ stderr: '', status: 0 });
    // Whoever has a newline in a name got it there by other ways: the protocol has no word for it.
    expect(await scp('-rp', at('/tmp/tree'), join(here, 'tree.back'))).toMatchObject({
      stderr: '',
      status: 0,
    });
    const same = await runProgram('diff', ['-r', tree, join(here, 'tree.back')]);
    expect([same.text, same.status]).toEqual(['', 0]);
    expect((await scp('-r', tree, at('/tmp/tree'))).status).toBe(0);
    expect(await container.sh('cat "/tmp/tree/tree/a folder/it\'s"')).toBe("it's");
  });

  it('a path in another encoding than UTF-8 is the file of those bytes', async () => {
    const file = await local('in latin1', 'x');
    const command = 'scp -O -q -F "$0" "$1" "$2$(printf \'caf\\351.txt\')"';
    const sent = await runProgram('sh', ['-c', command, configs[way], file, at('/tmp/')]);
    expect(sent).toMatchObject({ stderr: '', status: 0 });
    expect(await container.sh('cat "/tmp/$(printf \'caf\\351.txt\')"')).toBe('x');
  });

  it('set-user-id-upload: what runs as its owner does so in the container only with -p', async () => {
    const file = await local('as its owner', 'x');
    await runProgram('chmod', ['6755', file]);
    expect(await scp(file, at('/tmp/plain'))).toMatchObject({ stderr: '', status: 0 });
    expect(await scp('-p', file, at('/tmp/asked-for'))).toMatchObject({ stderr: '', status: 0 });
    expect(await container.sh('stat -c %a /tmp/plain /tmp/asked-for')).toBe('755\n6755');
  });

  it('expands what a shell would: patterns, quotes, ~ and variables', async () => {
    await container.sh('cd ~app && mkdir -p d && for n in "a 1" a2 b3; do echo "$n" >"d/$n.txt"; done');
    const into = join(here, 'patterns');
    await mkdir(into);
    expect(await scp(at('d/a*.txt'), into)).toMatchObject({ stderr: '', status: 0 });
    expect((await readdir(into)).sort()).toEqual(['a 1.txt', 'a2.txt']);
    // Newer clients doubt that a name answers to quotes or variables; -T stops that.
    expect(await scp('-T', at('"d/a 1.txt"'), join(into, 'quoted'))).toMatchObject({ stderr: '', status: 0 });
    expect(await scp(at('d/a\\ 1.txt'), join(into, 'escaped'))).toMatchObject({ stderr: '', status: 0 });
    expect(await scp(at('~/d/b3.txt'), into)).toMatchObject({ stderr: '', status: 0 });
    expect(await scp('-T', at('$HOME/d/a2.txt'), join(into, 'home'))).toMatchObject({
      stderr: '',
      status: 0,
    });
    expect(await readFile(join(into, 'quoted'), 'utf8')).toBe('a 1\n');
    expect((await readdir(into)).sort()).toEqual(
      ['a 1.txt', 'a2.txt', 'b3.txt', 'escaped', 'home', 'quoted'].sort(),
    );
  });

  it('says what failed, of one file among others too, and never calls it a success', async () => {
    const big = await local('big.bin', randomBytes(3_000_000));
    const full = await scp(big, at('/small/big'));
    expect([full.status, full.stderr]).toEqual([1, expect.stringContaining('No space left')]);
    await container.sh(
      'rm -f /small/*; cd /tmp && echo 1 >pick-open && touch pick-shut && chmod 600 pick-shut',
    );
    const refused = await scp(big, at('/etc/passwd'));
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
    const nowhere = await scp(big, at('/absent/file'));
    expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringMatching(/no.*such|nonexistent/i)]);
    const noFolder = await scp(big, await local('b', ''), at('/tmp/pick-open'));
    expect([noFolder.status, noFolder.stderr]).toEqual([1, expect.stringContaining('Not a directory')]);
    const absent = await scp(at('/tmp/absent'), join(here, 'absent'));
    expect([absent.status, absent.stderr]).toEqual([1, expect.stringContaining('No such file')]);
    const aFolder = await scp(at('/tmp'), here);
    expect([aFolder.status, aFolder.stderr]).toEqual([1, expect.stringContaining('not a regular file')]);
    const some = await scp(at('/tmp/pick-*'), here);
    expect([some.status, some.stderr]).toEqual([1, expect.stringContaining('pick-shut: Permission denied')]);
    expect(await readFile(join(here, 'pick-open'), 'utf8')).toBe('1\n');
    const two = await scp(big, at('/tmp/one two'));
    expect([two.status, two.stderr]).toEqual([1, expect.stringContaining('ambiguous target')]);
  });

  it('symbolic links are followed, as scp does; a link to its own folder ends', async () => {
    await container.sh(
      'mkdir -p /tmp/l/in && cd /tmp/l && echo x >in/f && ln -s in/f link && ln -s . in/loop',
    );
    const outcome = await scp('-r', at('/tmp/l'), join(here, 'links'));
    expect(await readFile(join(here, 'links/link'), 'utf8')).toBe('x\n');
    expect([outcome.status, outcome.stderr]).toEqual([1, expect.stringMatching(/symbolic links/)]);
  });
});

describe('where there is neither scp nor a shell', () => {
  let container: TestContainer;
  beforeAll(async () => {
    container = await runContainer(images.noshell, ['-i'], ['/bin/cat']);
  });
  afterAll(() => container.remove());

  it('files go both ways all the same', async () => {
    const up = join(folder, 'a file');
    await writeFile(up, 'content');
    const scp = (...args: readonly string[]) => runProgram('scp', ['-OTq', '-F', configs.resident, ...args]);
    const at = (path: string) => `rexec-${container.name}:${path}`;
    expect(await scp(up, at('"/a file"'))).toMatchObject({ stderr: '', status: 0 });
    expect(await scp(at('/a\\ file'), join(folder, 'again'))).toMatchObject({ stderr: '', status: 0 });
    expect(await readFile(join(folder, 'again'), 'utf8')).toBe('content');
  });

  it('nor a resident, a sentence says so', async () => {
    const outcome = await runProgram('scp', [
      '-O',
      '-F',
      configs.shell,
      configs.shell,
      `rexec-${container.name}:/x`,
    ]);
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toContain('has neither an sftp-server nor a shell');
  });
});
