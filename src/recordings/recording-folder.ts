/**
 * DATA/recordings: one file for each recording, named by the time it began and its id. Every file is opened below a
 * descriptor of the folder, without following links, under a name that is made of nothing but our own ids.
 */
import { constants, type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../platform/make-folder.ts';

export const recordingsFolder = (dataDir: string): string => join(dataDir, 'recordings');

export interface RecordingFile {
  readonly id: string;
  readonly startedAtMs: number;
  readonly name: string;
}

const idPattern = /^[a-z2-7]{16}$/;
const namePattern = /^(\d{13})-([a-z2-7]{16})\.cast$/;

export const isRecordingId = (id: string): boolean => idPattern.test(id);

/** Sorts by name as by time. Throws for an id that is none of ours: it would be part of a path. */
function nameOf(id: string, startedAtMs: number): string {
  const name = `${String(Math.trunc(startedAtMs)).padStart(13, '0')}-${id}.cast`;
  if (!namePattern.test(name)) throw new Error('a recording is named by an id of ours alone');
  return name;
}

export interface RecordingFolder {
  /** A new file, to append to. Makes the folder where it is missing. Throws what the disk throws. */
  create(id: string, startedAtMs: number): Promise<FileHandle>;
  /** By name, so oldest first; none where there is no folder. */
  list(): Promise<readonly RecordingFile[]>;
  /** For reading. */
  open(file: RecordingFile): Promise<FileHandle>;
  /** It may be gone already: an admin and the retention remove side by side. */
  remove(file: RecordingFile): Promise<void>;
}

export function createRecordingFolder(dataDir: string): RecordingFolder {
  const path = recordingsFolder(dataDir);

  /** A folder that was taken away and made again is another one: it is opened for each use. */
  async function below<Result>(use: (root: string) => Promise<Result>): Promise<Result> {
    const root = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      return await use(`/proc/self/fd/${root.fd}`);
    } finally {
      await root.close();
    }
  }

  return {
    async create(id, startedAtMs) {
      const name = nameOf(id, startedAtMs);
      await makeFolder(path);
      const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
      const flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW;
      return below((root) => open(join(root, name), flags, 0o600));
    },
    async list() {
      const names = await below((root) => readdir(root)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      return names.toSorted().flatMap((name) => {
        const [, startedAt, id] = namePattern.exec(name) ?? [];
        return id === undefined ? [] : [{ id, startedAtMs: Number(startedAt), name }];
      });
    },
    open: ({ name }) => below((root) => open(join(root, name), constants.O_RDONLY | constants.O_NOFOLLOW)),
    remove: ({ name }) =>
      below((root) => unlink(join(root, name))).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      }),
  };
}
