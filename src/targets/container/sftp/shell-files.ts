/** The file operations through the helper script, as the user that it runs as. */
import {
  type FileAttributes,
  FileFailure,
  type FileOperations,
  type FilesystemFacts,
  type FolderEntry,
  type OpenFolder,
  type OpenMode,
} from './file-operations.ts';
import { encodeWord, type HelperAnswer, type HelperChannel } from './helper-channel.ts';
import { createOpenFiles } from './open-files.ts';

/** `homes`: of everybody by name, and the user's own under the empty one. */
export function createShellFiles(helper: HelperChannel, homes: ReadonlyMap<string, string>): FileOperations {
  const ask = (operation: string, path: string, ...words: readonly string[]) =>
    helper.ask(operation, [encodeWord(path), ...words]);
  const act = async (operation: string, path: string, ...words: readonly string[]) =>
    void (await ask(operation, path, ...words));
  const text = async (operation: string, path: string) =>
    (await ask(operation, path)).output.toString('latin1');
  const opened = createOpenFiles(helper);

  const files: FileOperations = {
    startFolder: async () => (await text('start', '/')).replace(/\n$/, ''),
    stat: async (path, toTarget) => parseFacts(await text(toTarget ? 'stat' : 'lstat', path)),
    openFolder: async (path) => listedFolder(await ask('list', path)),
    async open(path, mode) {
      await ask('open', path, lettersOf(mode), octalOf(mode.permissions));
      opened.changed();
      const file = opened.add(path, mode);
      return Object.assign(file, {
        stat: () => files.stat(file.path, true),
        setAttributes: (attributes: Partial<FileAttributes>) =>
          files.setAttributes(file.path, attributes, true),
      });
    },
    async setAttributes(path, attributes, toTarget) {
      opened.changed();
      await act('set', path, ...attributeWords(attributes, toTarget));
    },
    makeFolder: (path, permissions) => act('mkdir', path, octalOf(permissions)),
    removeFolder: (path) => act('rmdir', path),
    async remove(path) {
      await act('remove', path);
      opened.moved(path, undefined);
    },
    async rename(from, to, overwrite) {
      await act('rename', from, encodeWord(to), overwrite ? 'over' : 'new');
      opened.moved(from, to);
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
    statFilesystem: async (path) => parseFilesystem(await text('filesystem', path)),
  };
  return files;
}

/** So many of a listing at a time. */
const entriesAtOnce = 500;

/**
 * Kept as it came, which is a fourth of what its entries would take. Each begins with the request's own number, which no name can
 * know, and ends with a line feed.
 */
function listedFolder({ id, output }: HelperAnswer): OpenFolder {
  const border = Buffer.from(`${id} `);
  let left = output.subarray(Math.max(output.indexOf(border), 0));
  const next = (): FolderEntry | undefined => {
    const end = left.indexOf(border, border.length);
    const record = left.subarray(border.length, end < 0 ? left.length : end);
    left = end < 0 ? nothing : left.subarray(end);
    return parseEntry(record.toString('latin1'));
  };
  return {
    async read() {
      const entries: FolderEntry[] = [];
      while (entries.length < entriesAtOnce && left.length > 0) {
        const entry = next();
        if (entry) entries.push(entry);
      }
      return entries;
    },
    get heldBytes() {
      return left.length > 0 ? output.length : 0;
    },
    async close() {
      left = nothing;
    },
  };
}

const nothing = Buffer.alloc(0);

const octalOf = (mode: number | undefined) => (mode === undefined ? '-' : (mode & 0o7777).toString(8));

function attributeWords(attributes: Partial<FileAttributes>, toTarget: boolean): readonly string[] {
  const { size, mode, uid, gid, atime, mtime } = attributes;
  if (!toTarget && (size !== undefined || mode !== undefined)) {
    throw new FileFailure('unsupported', 'a symbolic link has no size or mode of its own');
  }
  const owner = uid === undefined ? '-' : `${uid}:${gid}`;
  // `-h` and `-` must reach the script as they are: encoded, "-" would be decoded before it is looked at.
  const words = [toTarget ? '-' : '-h', size ?? '-', octalOf(mode), owner, atime ?? '-', mtime ?? '-'];
  return words.map(String);
}

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

function parseFilesystem(text: string): FilesystemFacts {
  const numbers = text.trim().split(' ');
  const [fragmentSize = 0, blockSize = 0, blocks = 0, freeBlocks = 0, availableBlocks = 0, ...others] =
    numbers.map((word) => Number(word) || 0);
  const [files = 0, freeFiles = 0, maxNameLength = 0] = others;
  return {
    fragmentSize: blockSize || fragmentSize,
    blockSize: fragmentSize || blockSize,
    ...{ blocks, freeBlocks, availableBlocks, files, freeFiles, maxNameLength },
  };
}

function parseEntry(record: string): FolderEntry | undefined {
  const [, facts, name] = /^((?:\S+ ){6}\S+) ([\s\S]*)$/.exec(record.replace(/\n$/, '')) ?? [];
  if (facts === undefined || name === undefined) return undefined;
  return { name: name.replace(/^\.\//, ''), attributes: parseFacts(facts) };
}
