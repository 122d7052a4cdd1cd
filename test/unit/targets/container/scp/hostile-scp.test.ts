/** What a client could send to an scp of ours. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionIo } from '../../../../../src/sessions/session.ts';
import { expandWords } from '../../../../../src/targets/container/scp/expand-words.ts';
import { parseScpCommand } from '../../../../../src/targets/container/scp/scp-command.ts';
import { serveScp } from '../../../../../src/targets/container/scp/serve-scp.ts';
import type { FileOperations } from '../../../../../src/targets/container/sftp/file-operations.ts';
import { createHelperChannel } from '../../../../../src/targets/container/sftp/helper-channel.ts';
import { helperScript } from '../../../../../src/targets/container/sftp/helper-script.ts';
import { createNodeFiles } from '../../../../../src/targets/container/sftp/node-files.ts';
import { createShellFiles } from '../../../../../src/targets/container/sftp/shell-files.ts';
import { runProgram } from '../../../../support/ssh-client.ts';

let outside: string;
let folder: string;
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), 'postern-scp-'));
  folder = join(outside, 'folder');
  await mkdir(folder);
});

const ignored = () => {};

/** The words, by this machine's sh. */
async function pathsOf(words: string): Promise<readonly string[]> {
  const closed = new AbortController().signal;
  const run = async (command: string, { stdout }: SessionIo) => {
    const { stdout: told, status } = await runProgram('sh', ['-c', `cd "$0" && ${command}`, folder]);
    stdout.write(told);
    return { exitStatus: status };
  };
  return (await expandWords(words, run, { stderr: new PassThrough(), closed })) ?? [];
}

/** The file operations that a resident has, and those by the programs of an image. */
function openFiles(by: string) {
  if (by === 'Node') return { files: createNodeFiles(folder), end: ignored };
  const child = spawn('sh', ['-c', helperScript], { cwd: folder, env: { ...process.env, LC_ALL: 'C' } });
  const helper = createHelperChannel(child.stdin);
  child.stdout.on('data', helper.feed);
  child.on('close', helper.end);
  return { files: createShellFiles(helper, new Map()), end: () => child.stdin.end() };
}

let by = 'Node';

/** What comes back, and how it ended, with all of `input` sent at once. */
async function converse(command: string, ...input: readonly (string | Buffer)[]) {
  const { words, ...options } = parseScpCommand(command)!;
  const transfer = { ...options, paths: await pathsOf(words) };
  const { files, end: close } = openFiles(by);
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  stdin.end(Buffer.concat(input.map((part) => Buffer.from(part as string, 'latin1'))));
  const chunks: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const end = await serveScp(transfer, stdin, stdout, files, new AbortController().signal);
  close();
  await new Promise((resolve) => setImmediate(resolve));
  return { end, told: Buffer.concat(chunks).toString('latin1') };
}

const failed = 1;

describe.each(['Node', 'sh'])('over files by %s', (operations) => {
  beforeEach(() => {
    by = operations;
  });

  describe('names', () => {
    it.each(['..', '.', '../escaped', '/tmp/escaped', 'a/b', '', 'nul\0l'])(
      'a file cannot be called %j',
      async (name) => {
        const { end, told } = await converse('scp -t .', `C0644 1 ${name}\n`, 'x\0');
        expect([end, told]).toEqual([failed, '\0\x02scp: protocol error: unexpected filename\n']);
        expect([await readdir(outside), await readdir(folder)]).toEqual([['folder'], []]);
      },
    );

    it('a folder cannot be called .. either, in any depth', async () => {
      const { end } = await converse(
        'scp -r -t .',
        'D0755 0 in\n',
        'D0755 0 ..\n',
        'D0755 0 ..\n',
        'E\nE\nE\n',
      );
      expect(end).toEqual(failed);
      expect([await readdir(outside), await readdir(folder)]).toEqual([['folder'], ['in']]);
    });

    it('what a shell or a program would understand is only a name', async () => {
      const names = [
        '$(touch pwned)',
        '`touch pwned`',
        '; touch pwned',
        '-rf',
        '--',
        '%s%n',
        '\x1b[31m',
        '\\0101',
      ];
      const { end } = await converse('scp -t .', ...names.map((name) => `C0600 1 ${name}\nx\0`));
      expect([end, (await readdir(folder)).sort()]).toEqual([0, names.sort()]);
    });

    it('a name in a message cannot drive a terminal, nor begin another message', async () => {
      await mkdir(join(folder, '\x1b[2J'));
      const { told } = await converse('scp -t .', 'C0600 1 \x1b[2J\n');
      expect(told).toMatch(/^\0\x01scp: \S*\\x1b\[2J: Is a directory\n$/);
    });

    it('a name with a newline is sent as OpenSSH sends it', async () => {
      await writeFile(join(folder, 'a\nC0777 9 b\\'), 'x');
      const { told } = await converse('scp -f a*', '\0\0\0');
      expect(told).toMatch(/^C0\d{3} 1 a\\\^JC0777 9 b\\\\\nx\0$/);
    });
  });

  describe('records', () => {
    it.each([
      'C644 1 a\n',
      'C0999 1 a\n',
      'C0644 -1 a\n',
      'C0644 1e9 a\n',
      'C0644 99999999999999999999 a\n',
      'X0644 1 a\n',
      'T1 2\n',
      'T99999999999999 0 0 0\n',
      '\n',
      'E\n',
      'E1\n',
      'D0755 0 folder\n',
    ])('%j ends the session', async (line) => {
      const { end, told } = await converse('scp -t .', line);
      expect(end).toEqual(failed);
      expect(told).toMatch(/^\0\x02scp: protocol error: [^\n]+\n$/);
      expect(await readdir(folder)).toEqual([]);
    });

    it('a line without end is not kept', async () => {
      const { end, told } = await converse('scp -t .', Buffer.alloc(10_000_000, 'C'));
      expect([end, told]).toEqual([failed, '\0\x02scp: protocol error: a line is too long\n']);
    });

    it('a client that ends in the middle of a file has not sent it', async () => {
      const { end, told } = await converse('scp -t .', 'C0644 100 a\n', 'only this');
      expect([end, told]).toEqual([failed, '\0\0\x02scp: lost connection\n']);
    });

    it('a client that takes back a file with a warning has failed', async () => {
      const { end } = await converse('scp -t .', 'C0644 1 a\n', 'x\x01it was unreadable\n');
      expect(end).toEqual(failed);
    });

    it('a client that gives up is not written to any more', async () => {
      const { end, told } = await converse('scp -t .', '\x02I am gone\n');
      expect([end, told]).toEqual([failed, '\0']);
    });

    it('folders within folders end where paths do', async () => {
      const deep =
        'D0755 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n';
      const { end, told } = await converse('scp -r -t .', deep.repeat(60));
      expect(end).toEqual(failed);
      expect(told).toContain('File name too long');
    });
  });

  describe('what is sent', () => {
    it('a pattern names files, and runs nothing that a file is called', async () => {
      await writeFile(join(folder, '$(touch pwned)'), '1');
      await writeFile(join(folder, '-rf'), '2');
      await writeFile(join(folder, 'two words'), '3');
      const { end, told } = await converse('scp -f *', Buffer.alloc(20));
      expect(end).toEqual(0);
      expect(told.match(/\d $|[^\n]*\n/gm)?.length).toBe(3);
      expect((await readdir(folder)).sort()).toEqual(['$(touch pwned)', '-rf', 'two words']);
    });

    it('what is neither a file nor a folder is told to be neither', async () => {
      await symlink('/dev/zero', join(folder, 'endless'));
      const { end, told } = await converse('scp -r -f endless', '\0');
      expect(end).toEqual(failed);
      expect(told).toMatch(/^\x01scp: \S*endless: not a regular file\n$/);
    });

    it('replaced-meanwhile: what a file is when its turn comes is sent whole, whatever was listed before', async () => {
      for (const name of ['a', 'b']) await writeFile(join(folder, name), 'short');
      const { words: _words, ...options } = parseScpCommand('scp -r -f .')!;
      const { files, end: close } = openFiles(by);
      const [stdin, stdout] = [new PassThrough(), new PassThrough()];
      const { signal } = new AbortController();
      const ended = serveScp({ ...options, paths: [folder] }, stdin, stdout, files, signal);
      let told = '';
      stdout.on('data', (chunk: Buffer) => {
        told += chunk;
      });
      const saysOf = (name: string) => vi.waitFor(() => expect(told).toContain(` ${name}\n`), 30_000);
      stdin.write('\0\0');
      const first = await Promise.race(['a', 'b'].map((name) => saysOf(name).then(() => name)));
      const second = first === 'a' ? 'b' : 'a';
      await writeFile(join(folder, 'new'), 'much longer by now');
      await rename(join(folder, 'new'), join(folder, second));
      stdin.end('\0\0\0\0\0\0');
      expect(await ended).toBe(0);
      close();
      expect(told).toContain(`18 ${second}\nmuch longer by now\0`);
    });

    it('what the client refuses is not sent', async () => {
      await writeFile(join(folder, 'a'), 'secret');
      const { end, told } = await converse('scp -f a', '\0\x01no\n');
      expect([end, told]).toEqual([failed, expect.stringMatching(/^C0\d{3} 6 a\n$/)]);
      expect(await readFile(join(folder, 'a'), 'utf8')).toBe('secret');
    });
  });
});

it('endless-folders: of folders within folders no more is held than of a few large ones, however deep they are', async () => {
  const mib = 1024 * 1024;
  const facts = { size: 0, uid: 0, gid: 0, mode: 0o040755, atime: 0, mtime: 0, links: 2 };
  /** Every folder has another in it. */
  const converseWith = async (heldBytes: number) => {
    const open = { now: 0, most: 0 };
    const openFolder = async () => {
      const entries = [{ name: 'a', attributes: facts }];
      open.most = Math.max(open.most, ++open.now);
      return { heldBytes, read: async () => entries.splice(0), close: async () => void open.now-- };
    };
    const files = { openFolder, stat: async () => facts } as unknown as FileOperations;
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    stdin.end(Buffer.alloc(5_000));
    const transfer = { ...parseScpCommand('scp -r -f /a')!, paths: ['/a'] };
    const end = await serveScp(transfer, stdin, stdout, files, new AbortController().signal);
    return { end, open, told: String(stdout.read()) };
  };
  const large = await converseWith(16 * mib);
  expect([large.end, large.open]).toEqual([failed, { now: 0, most: 2 }]);
  expect(large.told).toMatch(/\x01scp: \/a\/a: folders are too deep or too large within each other\nE\n$/);
  const deep = await converseWith(0);
  expect([deep.end, deep.open]).toEqual([failed, { now: 0, most: 257 }]);
});
