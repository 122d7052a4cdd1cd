/** What system calls fail with, as one of the few statuses that SFTP version 3 has. */
import { type FailureKind, FileFailure } from './file-operations.ts';

/** As OpenSSH's server tells them. */
const kinds: ReadonlyMap<string, FailureKind> = new Map([
  ['ENOENT', 'no-such-file'],
  ['ENOTDIR', 'no-such-file'],
  ['EBADF', 'no-such-file'],
  ['ELOOP', 'no-such-file'],
  ['EPERM', 'permission-denied'],
  ['EACCES', 'permission-denied'],
  ['EROFS', 'permission-denied'],
  ['ENOSYS', 'unsupported'],
  ['EOPNOTSUPP', 'unsupported'],
  ['ENOTSUP', 'unsupported'],
]);

/** The system's own words, as C programs print them; Node's are followed by the path, which is the client's to know. */
const texts: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'No such file or directory'],
  ['ENOTDIR', 'Not a directory'],
  ['EISDIR', 'Is a directory'],
  ['EPERM', 'Operation not permitted'],
  ['EACCES', 'Permission denied'],
  ['EROFS', 'Read-only file system'],
  ['EEXIST', 'File exists'],
  ['ENOTEMPTY', 'Directory not empty'],
  ['ENOSPC', 'No space left on device'],
  ['EDQUOT', 'Disk quota exceeded'],
  ['EFBIG', 'File too large'],
  ['ELOOP', 'Too many levels of symbolic links'],
  ['EXDEV', 'Invalid cross-device link'],
  ['ETXTBSY', 'Text file busy'],
  ['EMFILE', 'Too many open files'],
]);

/** A FileFailure as it is; what is no failure of a system call is our bug, and is thrown on. */
export function toFileFailure(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof FileFailure || typeof code !== 'string') return error;
  return new FileFailure(kinds.get(code) ?? 'failure', texts.get(code) ?? code);
}

/** The same, with what the system says as a FileFailure. */
export function failing<T extends object>(operations: T): T {
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
