/**
 * Files that a client has open. The helper script keeps none open: each request names the path, so what
 * was renamed meanwhile is followed, and what was removed is not made again.
 */
import { FileFailure, type OpenFile, type OpenMode } from './file-operations.ts';
import { encodeWord, type HelperChannel } from './helper-channel.ts';
import { createReadAhead, type ReadAhead } from './read-ahead.ts';

/** What the helper knows of an open file by its path, as of any other, is left out. */
type HelpedFile = Omit<OpenFile, 'stat' | 'setAttributes'>;

export interface OpenFiles {
  add(path: string, mode: OpenMode): HelpedFile;
  /** Something was written: what was read ahead may be old. */
  changed(): void;
  /** `to` undefined: removed. */
  moved(from: string, to: string | undefined): void;
}

/** So many files are read ahead at once, which bounds what a session holds. */
const maxReadAhead = 3;

interface Opened {
  path: string;
  isThere: boolean;
  readonly ahead: ReadAhead;
}

export function createOpenFiles(helper: HelperChannel): OpenFiles {
  const opened = new Set<Opened>();
  let readingAhead: Opened[] = [];

  const useReadAhead = (file: Opened) => {
    readingAhead = [file, ...readingAhead.filter((each) => each !== file)];
    for (const each of readingAhead.splice(maxReadAhead)) each.ahead.drop();
  };
  const changed = () => {
    for (const file of opened) file.ahead.drop();
  };
  return {
    add(path, mode) {
      const fetch = async (offset: number, length: number) =>
        (await helper.ask('read', [encodeWord(file.path), String(offset), String(length)])).output;
      const file: Opened = { path, isThere: true, ahead: createReadAhead(fetch) };
      opened.add(file);
      return openFile(helper, file, mode, {
        changed,
        reads: () => useReadAhead(file),
        closed() {
          opened.delete(file);
          readingAhead = readingAhead.filter((each) => each !== file);
        },
      });
    },
    changed,
    moved(from, to) {
      for (const file of opened) {
        if (file.path !== from && !file.path.startsWith(`${from}/`)) {
          if (to !== undefined && file.path === to) file.isThere = false;
          continue;
        }
        if (to === undefined) file.isThere = false;
        else file.path = to + file.path.slice(from.length);
      }
    },
  };
}

interface Notices {
  changed(): void;
  reads(): void;
  closed(): void;
}

function openFile(
  helper: HelperChannel,
  file: Opened,
  { append, read, write }: OpenMode,
  notices: Notices,
): HelpedFile {
  const check = (isAllowed = true) => {
    if (!isAllowed) throw new FileFailure('failure', 'the file was not opened for that');
    if (!file.isThere) throw new FileFailure('no-such-file', 'the file was removed');
  };
  return {
    async read(offset, length) {
      check(read);
      notices.reads();
      return file.ahead.read(offset, length);
    },
    async write(offset, data) {
      check(write || append);
      notices.changed();
      const bytes = data.reduce((sum, part) => sum + part.length, 0);
      if (bytes === 0) return;
      const words = [encodeWord(file.path), append ? 'end' : String(offset), String(bytes)];
      await helper.ask('write', words, data);
    },
    get path() {
      check();
      return file.path;
    },
    sync: async () => void (await helper.ask('sync', [encodeWord(file.path)])),
    async close() {
      notices.closed();
    },
  };
}
