/** What the system says of files, in words. */

const words: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or folder'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'not permitted'],
  ['ENOTDIR', 'something in its path is no folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'something of that name is there already'],
  ['ENOSPC', 'no space left on the disk'],
  ['EROFS', 'the file system is read-only'],
  ['ELOOP', 'too many links'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['EMFILE', 'too many open files'],
]);

/** `permission denied`; the code where there are no words for it, and the message of what is no error of the system. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return words.get(code ?? '') ?? code ?? message;
}

/** The sentence for an error of the system about a file that nobody foresaw; undefined for any other. */
export function systemSentence(error: unknown): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  if (typeof path !== 'string' || !words.has(code ?? '')) return undefined;
  const advice =
    code === 'EACCES' || code === 'EPERM' ? ' for this user; run it as the one whom the file belongs to' : '';
  return `${path} cannot be used (${systemReason(error)})${advice}.`;
}
