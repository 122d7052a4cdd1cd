/** File operations over a map: what the SFTP server and the far end of scp work on here, where no disk is to be risked. */
import {
  type FileAttributes,
  FileFailure,
  type FileOperations,
  type OpenMode,
} from '../src/targets/container/sftp/file-operations.ts';

const attributes: FileAttributes = { size: 4, uid: 0, gid: 0, mode: 0o100644, atime: 1, mtime: 1, links: 1 };
const maxFileBytes = 1024 * 1024;
const maxEntries = 200;

/** Far simpler than a file system: folders are entries without content, links are followed by nobody. */
export function createMemoryFiles(): FileOperations {
  const entries = new Map<string, Buffer | 'folder'>([
    ['/', 'folder'],
    ['/home', 'folder'],
    ['/home/a', Buffer.from('text')],
  ]);
  const find = (path: string) => {
    const entry = entries.get(path);
    if (entry === undefined) throw new FileFailure('no-such-file', 'No such file');
    return entry;
  };
  const facts = (path: string): FileAttributes => {
    const entry = find(path);
    return entry === 'folder' ? { ...attributes, mode: 0o040755 } : { ...attributes, size: entry.length };
  };
  const put = (path: string, entry: Buffer | 'folder') => {
    if (entries.size >= maxEntries && !entries.has(path)) throw new FileFailure('failure', 'full');
    entries.set(path, entry);
  };
  const remove = async (path: string) => {
    find(path);
    entries.delete(path);
  };
  const move = async (from: string, to: string) => {
    put(to, find(from));
    entries.delete(from);
  };
  return {
    startFolder: async () => '/home',
    stat: async (path) => facts(path),
    openFolder: async (path) => {
      if (find(path) !== 'folder') throw new FileFailure('failure', 'not a folder');
      const inside = [...entries.keys()].filter((each) => each.startsWith(path));
      const read = async () =>
        inside.splice(0).map((each) => ({ name: each.slice(path.length), attributes: facts(each) }));
      return { read, heldBytes: inside.length, close: async () => {} };
    },
    async open(path, mode: OpenMode) {
      if (!entries.has(path) && mode.create) put(path, Buffer.alloc(0));
      if (find(path) === 'folder') throw new FileFailure('failure', 'a folder');
      const setAttributes = async () => void find(path);
      return { ...openMemoryFile(path, entries), stat: async () => facts(path), setAttributes };
    },
    setAttributes: async (path) => void find(path),
    makeFolder: async (path) => put(path, 'folder'),
    removeFolder: remove,
    remove,
    rename: move,
    hardLink: async (from, to) => put(to, find(from)),
    symbolicLink: async (target, path) => put(path, Buffer.from(target, 'latin1')),
    readLink: async (path) => {
      const entry = find(path);
      return entry === 'folder' ? '' : entry.toString('latin1');
    },
    resolve: async (path) => path,
    findHome: async (name) => `/home/${name}`,
    statFilesystem: async () => ({
      ...{ blockSize: 4096, fragmentSize: 4096, blocks: 9, freeBlocks: 9, availableBlocks: 9, files: 9 },
      ...{ freeFiles: 9, maxNameLength: 255 },
    }),
  };
}

function openMemoryFile(path: string, entries: Map<string, Buffer | 'folder'>) {
  const content = () => {
    const entry = entries.get(path);
    return entry instanceof Buffer ? entry : Buffer.alloc(0);
  };
  return {
    path,
    read: async (offset: number, length: number) => content().subarray(offset, offset + length),
    async write(offset: number, data: readonly Buffer[]) {
      const written = Buffer.concat(data);
      if (offset + written.length > maxFileBytes) throw new FileFailure('failure', 'too large');
      const grown = Buffer.alloc(Math.max(content().length, offset + written.length));
      content().copy(grown);
      written.copy(grown, offset);
      entries.set(path, grown);
    },
    sync: async () => {},
    close: async () => {},
  };
}
