/** What is done by handle, until it is closed. */
import type { FileOperation } from './file-operation.ts';
import { createRemembered } from './remembered.ts';

/** draft-ietf-secsh-filexfer-02 §6.2. */
const maxHandleBytes = 256;
const bounds = { entries: 1_024, names: 1024 * 1024 };

interface OpenFile {
  readonly path: string;
  readonly writes: boolean;
  readonly isFolder: boolean;
  read: number;
  written: number;
}

/** What is asked to be opened: a file, for writing or not; or a folder. */
export type Opening =
  | { readonly kind: 'open'; readonly path: string; readonly writes: boolean }
  | { readonly kind: 'list'; readonly path: string };

/** Handles are in hex. */
export interface SftpFiles {
  opened(handle: string, opening: Opening): void;
  notOpened(opening: Opening, outcome: string): void;
  read(handle: string, bytes: number): void;
  wrote(handle: string, bytes: number): void;
  closed(handle: string, outcome: string): void;
  /** Empty where it is not known. */
  pathOf(handle: string): string;
  end(): void;
}

export function createSftpFiles(onOperation: (operation: FileOperation) => void): SftpFiles {
  const files = createRemembered<string, OpenFile>({ ...bounds, lengthOf: ({ path }) => path.length });
  const tell = (file: OpenFile, outcome: string) => {
    for (const told of doneTo(file, outcome)) onOperation(told);
  };
  const closed = (handle: string, outcome: string) => {
    const file = files.take(handle);
    if (file) tell(file, outcome);
  };
  const find = (handle: string) => files.find(handle);
  return {
    opened(handle, opening) {
      closed(handle, 'its handle was given away');
      if (!files.isFull() && handle.length <= 2 * maxHandleBytes) return files.set(handle, fileOf(opening));
      const detail = 'not followed: too many are open';
      onOperation({ op: opening.kind, path: opening.path, detail, outcome: 'ok' });
    },
    notOpened: (opening, outcome) => tell(fileOf(opening), outcome),
    read(handle, bytes) {
      const file = find(handle);
      if (file) file.read += bytes;
    },
    wrote(handle, bytes) {
      const file = find(handle);
      if (file) file.written += bytes;
    },
    closed,
    pathOf: (handle) => find(handle)?.path ?? '',
    end() {
      for (let key = files.oldest(); key !== undefined; key = files.oldest()) closed(key, 'not closed');
    },
  };
}

const fileOf = (opening: Opening): OpenFile => ({
  path: opening.path,
  writes: opening.kind === 'open' && opening.writes,
  isFolder: opening.kind === 'list',
  read: 0,
  written: 0,
});

/** What was read and written through one handle is two things. */
function doneTo({ path, writes, isFolder, read, written }: OpenFile, outcome: string): FileOperation[] {
  if (isFolder) return [{ op: 'list', path, outcome }];
  const isUpload = written > 0 || (writes && read === 0);
  return [
    ...(read > 0 || !isUpload ? [{ op: 'download', path, bytes: read, outcome } as const] : []),
    ...(isUpload ? [{ op: 'upload', path, bytes: written, outcome } as const] : []),
  ];
}
