/** What a client has open: bounded in number, and in what open folders hold. */
import { FileFailure, type FolderEntry, type OpenFile, type OpenFolder } from './file-operations.ts';

export interface FileHandle {
  readonly kind: 'file';
  readonly file: OpenFile;
}

export interface FolderHandle {
  readonly kind: 'folder';
  readonly path: string;
  readonly folder: OpenFolder;
  /** What was read of it and not told yet. */
  entries: readonly FolderEntry[];
}

export interface Handles {
  /** Throws FileFailure when too many are open. */
  add(handle: FileHandle | FolderHandle): Buffer;
  /** Throws FileFailure where there is none of that name. */
  get(name: Buffer): FileHandle | FolderHandle;
  getFile(name: Buffer): OpenFile;
  remove(name: Buffer): FileHandle | FolderHandle;
  readonly all: Iterable<FileHandle | FolderHandle>;
}

export const closeHandle = (handle: FileHandle | FolderHandle): Promise<void> =>
  (handle.kind === 'file' ? handle.file : handle.folder).close();

export const maxHandles = 256;
const maxHeldBytes = 24 * 1024 * 1024;

export function createHandles(): Handles {
  const open = new Map<string, FileHandle | FolderHandle>();
  let made = 0;
  const get = (name: Buffer) => {
    const found = open.get(name.toString('latin1'));
    if (!found) throw new FileFailure('failure', 'no such handle');
    return found;
  };
  const heldBy = (handle: FileHandle | FolderHandle) =>
    handle.kind === 'folder' ? handle.folder.heldBytes : 0;
  const heldBytes = () => [...open.values()].reduce((sum, each) => sum + heldBy(each), 0);
  return {
    add(handle) {
      const held = heldBy(handle);
      if (open.size >= maxHandles || (held > 0 && heldBytes() + held > maxHeldBytes)) {
        throw new FileFailure('failure', 'too much is open; close something');
      }
      made += 1;
      const name = Buffer.from(made.toString(16).padStart(8, '0'));
      open.set(name.toString('latin1'), handle);
      return name;
    },
    get,
    getFile(name) {
      const handle = get(name);
      if (handle.kind !== 'file') throw new FileFailure('failure', 'that handle is no file');
      return handle.file;
    },
    remove(name) {
      const found = get(name);
      open.delete(name.toString('latin1'));
      return found;
    },
    get all() {
      return open.values();
    },
  };
}
