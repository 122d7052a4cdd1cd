/** The file operations through the helper script, as the user that it runs as. */
import {
  type FileAttributes,
  FileFailure,
  type FileOperations,
  type FolderEntry,
  type OpenFile,
  type OpenMode,
} from './file-operations.ts';
import { encodeWord, type HelperChannel } from './helper-channel.ts';
import { createReadAhead, type ReadAhead } from './read-ahead.ts';

/** So many files are read ahead at once, which bounds what a session holds. */
const maxReadAhead = 3;

interface Opened {
  path: string;
  isThere: boolean;
  readonly ahead: ReadAhead;
}

export function createShellFiles(helper: HelperChannel, homes: ReadonlyMap<string, string>): FileOperations {
  const opened = new Set<Opened>();
  let readingAhead: Opened[] = [];

  const ask = (operation: string, path: string, ...words: readonly string[]) =>
    helper.ask(operation, [encodeWord(path), ...words]);
  const act = async (operation: string, path: string, ...words: readonly string[]) =>
    void (await ask(operation, path, ...words));
  const text = async (operation: string, path: string) =>
    (await ask(operation, path)).output.toString('latin1');
  const changed = () => {
    for (const file of opened) file.ahead.drop();
  };
  const follow = (from: string, to: string | undefined) => {
    for (const file of opened) {
      if (file.path !== from && !file.path.startsWith(`${from}/`)) {
        if (to !== undefined && file.path === to) file.isThere = false;
        continue;
      }
      if (to === undefined) file.isThere = false;
      else file.path = to + file.path.slice(from.length);
    }
  };
  const useReadAhead = (file: Opened) => {
    readingAhead = [file, ...readingAhead.filter((each) => each !== file)];
    for (const each of readingAhead.splice(maxReadAhead)) each.ahead.drop();
  };
  const openFile = (path: string, { append, read, write }: OpenMode): OpenFile => {
    const ahead = createReadAhead(
      async (offset, length) => (await ask('read', file.path, String(offset), String(length))).output,
    );
    const file: Opened = { path, isThere: true, ahead };
    opened.add(file);
    const check = (isAllowed = true) => {
      if (!isAllowed) throw new FileFailure('failure', 'the file was not opened for that');
      if (!file.isThere) throw new FileFailure('no-such-file', 'the file was removed');
    };
    return {
      async read(offset, length) {
        check(read);
        useReadAhead(file);
        return ahead.read(offset, length);
      },
      async write(offset, data) {
        check(write || append);
        changed();
        const bytes = data.reduce((sum, part) => sum + part.length, 0);
        if (bytes === 0) return;
        const words = [encodeWord(file.path), append ? 'end' : String(offset), String(bytes)];
        await helper.ask('write', words, data);
      },
      get path() {
        check();
        return file.path;
      },
      sync: async () => act('sync', file.path),
      async close() {
        opened.delete(file);
        readingAhead = readingAhead.filter((each) => each !== file);
      },
    };
  };

  return {
    startFolder: async () => (await text('start', '/')).replace(/\n$/, ''),
    stat: async (path, toTarget) => parseFacts(await text(toTarget ? 'stat' : 'lstat', path)),
    async list(path) {
      const { id, output } = await ask('list', path);
      return parseListing(output.toString('latin1'), id);
    },
    async open(path, mode) {
      await ask('open', path, lettersOf(mode), octalOf(mode.permissions));
      changed();
      return openFile(path, mode);
    },
    async setAttributes(path, attributes, toTarget) {
      changed();
      const { size, mode, uid, gid, atime, mtime } = attributes;
      if (!toTarget && (size !== undefined || mode !== undefined)) {
        throw new FileFailure('unsupported', 'a symbolic link has no size or mode of its own');
      }
      const owner = uid === undefined ? '-' : `${uid}:${gid}`;
      const words = [size ?? '-', octalOf(mode), owner, atime ?? '-', mtime ?? '-'].map(String);
      // `-h` and `-` must reach the script as they are: encoded, "-" would be decoded before it is looked at.
      await helper.ask('set', [encodeWord(path), toTarget ? '-' : '-h', ...words]);
    },
    makeFolder: (path, permissions) => act('mkdir', path, octalOf(permissions)),
    removeFolder: (path) => act('rmdir', path),
    async remove(path) {
      await act('remove', path);
      follow(path, undefined);
    },
    async rename(from, to, overwrite) {
      await act('rename', from, encodeWord(to), overwrite ? 'over' : 'new');
      follow(from, to);
    },
    hardLink: (from, to) => act('link', from, encodeWord(to)),
    symbolicLink: (target, path) => act('symlink', target, encodeWord(path)),
    readLink: (path) => text('readlink', path),
    resolve: (path) => text('resolve', path),
    async findHome(name) {
      const home = homes.get(name);
      if (home === undefined) throw new FileFailure('no-such-file', 'there is no such user');
      return home;
    },
    async statFilesystem(path) {
      const [fragmentSize = 0, blockSize = 0, blocks = 0, freeBlocks = 0, availableBlocks = 0, ...rest] = (
        await text('filesystem', path)
      )
        .trim()
        .split(' ')
        .map((word) => Number(word) || 0);
      const [files = 0, freeFiles = 0, maxNameLength = 0] = rest;
      return {
        fragmentSize: blockSize || fragmentSize,
        blockSize: fragmentSize || blockSize,
        blocks,
        freeBlocks,
        availableBlocks,
        files,
        freeFiles,
        maxNameLength,
      };
    },
  };
}

const octalOf = (mode: number | undefined) => (mode === undefined ? '-' : (mode & 0o7777).toString(8));

function lettersOf(mode: OpenMode): string {
  const letters = [
    mode.read && 'r',
    (mode.write || mode.append) && 'w',
    mode.create && 'c',
    mode.truncate && 't',
    mode.create && mode.exclusive && 'x',
  ];
  return letters.filter(Boolean).join('') || 'r';
}

function parseFacts(text: string): FileAttributes {
  const [mode = '', ...numbers] = text.trim().split(' ');
  const [size = 0, uid = 0, gid = 0, atime = 0, mtime = 0, links = 1] = numbers.map(Number);
  if (!/^[0-9a-f]+$/.test(mode) || numbers.length < 6)
    throw new FileFailure('unsupported', 'no stat program');
  return { mode: Number.parseInt(mode, 16), size, uid, gid, atime, mtime, links };
}

/** Records begin with the request's own number, which no name can know. */
function parseListing(text: string, id: string): FolderEntry[] {
  return text
    .split(`${id} `)
    .slice(1)
    .flatMap((record) => {
      const parts = /^((?:\S+ ){6}\S+) ([\s\S]*)\n$/.exec(record);
      if (!parts) return [];
      return [{ name: parts[2]!.replace(/^\.\//, ''), attributes: parseFacts(parts[1]!) }];
    });
}
