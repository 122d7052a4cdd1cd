/**
 * The port between the SFTP protocol and whatever reaches a container's files. Every path is absolute
 * and holds one character per byte (latin1), so that any name survives. Every call rejects with
 * FileFailure where the operation failed.
 */

/** As stat(2) has them; times in seconds. */
export interface FileAttributes {
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  /** File type and permissions. */
  readonly mode: number;
  readonly atime: number;
  readonly mtime: number;
  readonly links: number;
}

export interface FolderEntry {
  readonly name: string;
  readonly attributes: FileAttributes;
}

export interface FilesystemFacts {
  readonly blockSize: number;
  readonly fragmentSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly availableBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly maxNameLength: number;
}

/** How a file is opened; the draft, §6.3. */
export interface OpenMode {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  readonly truncate: boolean;
  readonly exclusive: boolean;
  /** Of a file that is created, before the umask; undefined: as the system makes them. */
  readonly permissions: number | undefined;
}

export interface OpenFile {
  /** At most `length` bytes, fewer only at the end; none: there is nothing at that offset. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Resolves when the file system took all of it, one part after the other. */
  write(offset: number, data: readonly Buffer[]): Promise<void>;
  /** The file's path now, where it was renamed since. */
  readonly path: string;
  stat(): Promise<FileAttributes>;
  setAttributes(attributes: Partial<FileAttributes>): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenFolder {
  /** The next of its entries, "." and ".." among them; none: that were all. */
  read(): Promise<readonly FolderEntry[]>;
  /** What is in memory of those that were not read. */
  readonly heldBytes: number;
  close(): Promise<void>;
}

export interface FileOperations {
  /** Where relative paths begin. */
  startFolder(): Promise<string>;
  stat(path: string, follow: boolean): Promise<FileAttributes>;
  openFolder(path: string): Promise<OpenFolder>;
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** `follow` false: of a symbolic link itself. */
  setAttributes(path: string, attributes: Partial<FileAttributes>, follow: boolean): Promise<void>;
  makeFolder(path: string, permissions: number | undefined): Promise<void>;
  removeFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  rename(from: string, to: string, overwrite: boolean): Promise<void>;
  hardLink(from: string, to: string): Promise<void>;
  /** `target` is kept as it is, relative or not. */
  symbolicLink(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string>;
  /** Without links and dots; the last part need not be there. */
  resolve(path: string): Promise<string>;
  /** Where `~` (empty name) and `~name` are. */
  findHome(name: string): Promise<string>;
  statFilesystem(path: string): Promise<FilesystemFacts>;
}

export type FailureKind = 'no-such-file' | 'permission-denied' | 'unsupported' | 'failure';

/** What a file operation failed with; the message is for people. */
export class FileFailure extends Error {
  override readonly name = 'FileFailure';
  readonly kind: FailureKind;
  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
