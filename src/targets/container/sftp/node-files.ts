/** The file operations by Node itself, as the user that this process runs as: what a resident serves. */
import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path/posix';
import {
  type FileAttributes,
  FileFailure,
  type FileOperations,
  type FolderEntry,
  type OpenFile,
  type OpenMode,
} from './file-operations.ts';
import { toFileFailure } from './system-failures.ts';

/** Node takes names as bytes. */
const bytesOf = (path: string): Buffer => Buffer.from(path, 'latin1');
const textOf = (name: Buffer | string): string => Buffer.from(name as Buffer).toString('latin1');

/** So many are looked at together; a folder of 250,000 must not be asked for at once. */
const statsAtOnce = 256;
const asBytes = { encoding: 'buffer' } as const;

/** `home` is where relative paths begin, if there is such a folder. */
export function createNodeFiles(home: string): FileOperations {
  const files: FileOperations = {
    async startFolder() {
      const isThere = await fs.stat(bytesOf(home)).then(
        (stats) => stats.isDirectory(),
        () => false,
      );
      return isThere ? home : '/';
    },
    stat: async (path, follow) => attributesOf(await (follow ? fs.stat : fs.lstat)(bytesOf(path))),
    list,
    open,
    setAttributes,
    async makeFolder(path, permissions) {
      await fs.mkdir(bytesOf(path), { mode: (permissions ?? 0o777) & 0o7777 });
    },
    removeFolder: (path) => fs.rmdir(bytesOf(path)),
    remove: (path) => fs.unlink(bytesOf(path)),
    rename: (from, to, overwrite) =>
      overwrite ? fs.rename(bytesOf(from), bytesOf(to)) : moveToNew(from, to),
    hardLink: (from, to) => fs.link(bytesOf(from), bytesOf(to)),
    symbolicLink: (target, path) => fs.symlink(bytesOf(target), bytesOf(path)),
    readLink: async (path) => textOf(await fs.readlink(bytesOf(path), asBytes)),
    resolve,
    findHome: (name) => findHome(name, home),
    async statFilesystem(path) {
      const { bsize, blocks, bfree, bavail, files: inodes, ffree } = await fs.statfs(bytesOf(path));
      return {
        blockSize: bsize,
        fragmentSize: bsize,
        blocks,
        freeBlocks: bfree,
        availableBlocks: bavail,
        files: inodes,
        freeFiles: ffree,
        maxNameLength: 255,
      };
    },
  };
  return failing(files);
}

/** The same, with what the system says as a FileFailure. */
function failing<T extends object>(operations: T): T {
  const wrapped = Object.entries(operations).map(([name, operation]) => [
    name,
    typeof operation !== 'function'
      ? operation
      : async (...args: unknown[]) => {
          try {
            return await operation(...args);
          } catch (error) {
            throw toFileFailure(error);
          }
        },
  ]);
  return Object.fromEntries(wrapped) as T;
}

const attributesOf = ({ size, uid, gid, mode, atimeMs, mtimeMs, nlink }: Stats): FileAttributes => ({
  size,
  uid,
  gid,
  mode,
  atime: Math.floor(atimeMs / 1_000),
  mtime: Math.floor(mtimeMs / 1_000),
  links: nlink,
});

async function list(path: string): Promise<readonly FolderEntry[]> {
  const names = ['.', '..', ...(await fs.readdir(bytesOf(path), asBytes)).map(textOf)];
  const entries: FolderEntry[] = [];
  for (let at = 0; at < names.length; at += statsAtOnce) {
    const some = names.slice(at, at + statsAtOnce).map(async (name) => {
      // What was removed meanwhile is left out.
      const stats = await fs.lstat(bytesOf(`${path}/${name}`)).catch(() => undefined);
      return stats ? [{ name, attributes: attributesOf(stats) }] : [];
    });
    entries.push(...(await Promise.all(some)).flat());
  }
  return entries;
}

function flagsOf({ read, write, append, create, truncate, exclusive }: OpenMode): number {
  const writes = write || append;
  const access = writes ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  return (
    access |
    // A pipe with nobody at its other end would hold the call, and a thread with it.
    constants.O_NONBLOCK |
    (append ? constants.O_APPEND : 0) |
    (create ? constants.O_CREAT : 0) |
    (truncate ? constants.O_TRUNC : 0) |
    (create && exclusive ? constants.O_EXCL : 0)
  );
}

async function open(path: string, mode: OpenMode): Promise<OpenFile> {
  const handle = await fs.open(bytesOf(path), flagsOf(mode), mode.permissions ?? 0o666);
  if (!(await handle.stat()).isDirectory()) return openFile(handle, mode);
  await handle.close();
  throw new FileFailure('failure', 'Is a directory');
}

function openFile(handle: fs.FileHandle, { append }: OpenMode): OpenFile {
  /** Where each write goes to the end of what is there, one waits for the other. */
  let appended: Promise<unknown> = Promise.resolve();
  const writeAll = async (offset: number, data: readonly Buffer[]): Promise<void> => {
    let at = offset;
    for (const part of data) {
      for (let written = 0; written < part.length; ) {
        const position = append ? null : at + written;
        written += (await handle.write(part, written, part.length - written, position)).bytesWritten;
      }
      at += part.length;
    }
  };
  const operations = failing({
    async read(offset: number, length: number): Promise<Buffer> {
      const data = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(data, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return data.subarray(0, filled);
    },
    write(offset: number, data: readonly Buffer[]): Promise<void> {
      if (!append) return writeAll(offset, data);
      const writing = appended.catch(() => {}).then(() => writeAll(offset, data));
      appended = writing;
      return writing;
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  });
  // Whatever it is called by now, or whether it is called anything.
  return { ...operations, path: `/proc/self/fd/${handle.fd}` };
}

async function setAttributes(
  path: string,
  { size, mode, uid, gid, atime, mtime }: Partial<FileAttributes>,
  follow: boolean,
): Promise<void> {
  const at = bytesOf(path);
  if (!follow && (size !== undefined || mode !== undefined)) {
    const isLink = (await fs.lstat(at)).isSymbolicLink();
    if (isLink) throw new FileFailure('unsupported', 'a symbolic link has no size or mode of its own');
  }
  if (size !== undefined) await fs.truncate(at, size);
  if (mode !== undefined) await fs.chmod(at, mode & 0o7777);
  if (uid !== undefined && gid !== undefined) await (follow ? fs.chown : fs.lchown)(at, uid, gid);
  if (atime !== undefined && mtime !== undefined) await (follow ? fs.utimes : fs.lutimes)(at, atime, mtime);
}

/** As OpenSSH's server: what is there already is never replaced. */
async function moveToNew(from: string, to: string): Promise<void> {
  const [old, next] = [bytesOf(from), bytesOf(to)];
  if ((await fs.lstat(old)).isFile()) {
    const linked = await fs.link(old, next).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'EMLINK', 'EXDEV'].includes(error.code ?? '')) return false;
        throw error;
      },
    );
    if (linked) return fs.unlink(old);
  }
  const isTaken = await fs.lstat(next).then(
    () => true,
    () => false,
  );
  if (isTaken) throw new FileFailure('failure', 'File exists');
  await fs.rename(old, next);
}

async function resolve(path: string): Promise<string> {
  const found = async (part: string) => textOf(await fs.realpath(bytesOf(part), asBytes));
  const plain = path.replace(/(?<=.)\/+$/, '');
  try {
    return await found(plain);
  } catch (error) {
    const last = plain.slice(plain.lastIndexOf('/') + 1);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || ['', '.', '..'].includes(last)) throw error;
    const folder = await found(dirname(plain));
    return `${folder === '/' ? '' : folder}/${last}`;
  }
}

/** passwd(5), read anew: it is short, and may have changed. */
async function findHome(name: string, own: string): Promise<string> {
  if (name === '') return own;
  const passwd = (await fs.readFile('/etc/passwd').catch(() => Buffer.alloc(0))).toString('latin1');
  const home = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name)?.[5];
  if (!home) throw new FileFailure('no-such-file', 'there is no such user');
  return home;
}
