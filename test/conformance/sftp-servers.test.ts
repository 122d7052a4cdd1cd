/** Our SFTP server over Node's file operations, beside OpenSSH's own: the same batch, the same answers. */
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/ssh-client.ts';

const script = new URL('../support/sftp-server-by-node.ts', import.meta.url).pathname;
const servers = {
  openssh: '/usr/lib/openssh/sftp-server',
  ours: `${process.execPath} ${script}`,
} as const;

const content = randomBytes(700_000);

/** A folder to work in, the same for each server. */
async function prepare(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-sftp-'));
  await mkdir(join(folder, 'many'));
  await writeFile(join(folder, 'content'), content);
  await writeFile(join(folder, 'a file'), 'short');
  await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x22])]), 'odd name');
  for (let n = 0; n < 1_200; n++) await writeFile(join(folder, 'many', `f${n}`), String(n));
  await runProgram('mkfifo', [join(folder, 'pipe')]);
  await runProgram('ln', ['-s', 'nowhere', join(folder, 'dangling')]);
  await runProgram('ln', ['-s', 'content', join(folder, 'link')]);
  await runProgram('ln', ['-s', 'loop', join(folder, 'loop')]);
  return folder;
}

async function answer(server: keyof typeof servers, batch: readonly string[]) {
  const folder = await prepare();
  const lines = [`cd ${folder}`, ...batch.map((line) => line.replaceAll('FOLDER', folder))];
  const { status, stdout, stderr } = await runProgram('sftp', ['-D', servers[server], ...['-b', '-']], {
    stdin: `${lines.join('\n')}\n`,
    timeoutMs: 30_000,
  });
  const plain = (text: Buffer | string) => text.toString().replaceAll(folder, 'FOLDER');
  return { folder, status, stdout: plain(stdout), stderr: plain(stderr) };
}

const batches: readonly (readonly [name: string, batch: readonly string[]])[] = [
  ['listing', ['ls -1', 'ls -1 many/f10*']],
  [
    'a missing file',
    ['-get nothing /dev/null', '-ls nothing', '-rm nothing', '-rmdir nothing', '-chmod 600 nothing'],
  ],
  [
    'folders',
    [
      'mkdir new',
      '-mkdir new',
      'mkdir new/deep',
      '-rmdir new',
      'rmdir new/deep',
      'rmdir new',
      '-rmdir content',
    ],
  ],
  [
    'renames',
    ['rename content moved', 'rename moved many/moved', '-rename nothing x', '-rename many content', 'ls -1'],
  ],
  ['over what is there', ['-rename -l content "a file"', 'rename content "a file"', 'ls -1']],
  ['links', ['ln content hard', 'ln -s content soft', '-ln nothing x', 'ls -1', 'get soft FOLDER/copied']],
  ['a dangling link', ['-get dangling /dev/null', 'rm dangling', 'ls -1']],
  ['a loop', ['-get loop /dev/null', '-rm loop']],
  ['modes and times', ['chmod 4711 content', 'put -p FOLDER/content copy', 'ls -1', '-chmod 600 dangling']],
  ['paths', ['cd many/..', 'pwd', 'cd ..', '-cd nothing', '-cd content']],
  ['a folder as a file', ['-get -f many/../many /dev/null', '-put FOLDER/content many/f1/x']],
  [
    'resuming',
    ['get content FOLDER/part', 'reget content FOLDER/part', 'put content up', 'reput content up'],
  ],
  ['an odd name', ['ls -1', '-rm *"', 'ls -1']],
];

/** Name, kind, mode and content of everything. */
async function facts(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true, encoding: 'latin1' });
  const told = names.map(async (name) => {
    const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
    const { mode, size } = await lstat(path);
    const isFile = (mode & 0o170000) === 0o100000;
    const hash = isFile
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : '';
    return `${name} ${mode.toString(8)} ${isFile ? size : ''} ${hash}`;
  });
  return (await Promise.all(told)).toSorted();
}

describe.each(batches)('%s', (_name, batch) => {
  it('is answered as by OpenSSH', async () => {
    const [theirs, ours] = await Promise.all([answer('openssh', batch), answer('ours', batch)]);
    expect({ ...ours, folder: '' }).toEqual({ ...theirs, folder: '' });
    expect(await facts(ours.folder)).toEqual(await facts(theirs.folder));
  });
});
