/** The file operations by Node itself, as the user that this process runs as: what a resident serves. */
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path/posix';
import { makeUnmasked } from '../sidecar/inside/umask.ts';
import {
  type FileAttributes,
  FileFailure,
  type FileOperations,
  type OpenFile,
  type OpenMode,
} from './file-operations.ts';
import { openNodeFolder } from './node-folder.ts';
import { attributesOf, bytesOf, textOf } from './node-stats.ts';
import { failing } from './system-failures.ts';

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
    openFolder: openNodeFolder,
    open,
    setAttributes,
    async makeFolder(path, permissions) {
      const mode = (permissions ?? 0o777) & 0o7777;
      await makeUnmasked(() => fs.mkdir(bytesOf(path), { mode }));
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
  const openNow = () => fs.open(bytesOf(path), flagsOf(mode), mode.permissions ?? 0o666);
  const handle = await (mode.create ? makeUnmasked(openNow) : openNow());
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
    stat: async () => attributesOf(await handle.stat()),
    setAttributes: (attributes: Partial<FileAttributes>) => setEach(handle, attributes),
    sync: () => handle.sync(),
    close: () => handle.close(),
  });
  // Whatever it is called by now, or whether it is called anything.
  return { ...operations, path: `/proc/self/fd/${handle.fd}` };
}

/** What can be set of a file, be it open or not. */
type Settable = Pick<fs.FileHandle, 'truncate' | 'chmod' | 'chown' | 'utimes'>;

async function setEach(
  file: Settable,
  { size, mode, uid, gid, atime, mtime }: Partial<FileAttributes>,
): Promise<void> {
  if (size !== undefined) await file.truncate(size);
  if (mode !== undefined) await file.chmod(mode & 0o7777);
  if (uid !== undefined && gid !== undefined) await file.chown(uid, gid);
  if (atime !== undefined && mtime !== undefined) await file.utimes(atime, mtime);
}

async function setAttributes(
  path: string,
  attributes: Partial<FileAttributes>,
  follow: boolean,
): Promise<void> {
  const { size, mode } = attributes;
  const at = bytesOf(path);
  if (!follow && (size !== undefined || mode !== undefined)) {
    const isLink = (await fs.lstat(at)).isSymbolicLink();
    if (isLink) throw new FileFailure('unsupported', 'a symbolic link has no size or mode of its own');
  }
  await setEach(
    {
      truncate: (length) => truncate(at, length),
      chmod: (bits) => fs.chmod(at, bits),
      chown: (uid, gid) => (follow ? fs.chown : fs.lchown)(at, uid, gid),
      utimes: (atime, mtime) => (follow ? fs.utimes : fs.lutimes)(at, atime, mtime),
    },
    attributes,
  );
}

/** Node's own wants to read the file, too. */
async function truncate(path: Buffer, length: number | null | undefined): Promise<void> {
  const file = await fs.open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  await file.truncate(length ?? 0).finally(() => file.close());
}

/** As OpenSSH's server: what is there already is never replaced. */
async function moveToNew(from: string, to: string): Promise<void> {
  const [old, next] = [bytesOf(from), bytesOf(to)];
  if ((await fs.lstat(old)).isFile()) {
    const linked = await fs.link(old, next).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(error.code ?? ''))
          return false;
        throw error;
      },
    );
    if (linked) return unlinkFirst(old, next);
  }
  const isTaken = await fs.lstat(next).then(
    () => true,
    () => false,
  );
  if (isTaken) throw new FileFailure('failure', 'File exists');
  await fs.rename(old, next);
}

/** Or else neither: a file that could not be moved must not have two names. */
async function unlinkFirst(old: Buffer, next: Buffer): Promise<void> {
  await fs.unlink(old).catch(async (error) => {
    await fs.unlink(next).catch(() => {});
    throw error;
  });
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
