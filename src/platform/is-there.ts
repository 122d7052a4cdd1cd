import { stat } from 'node:fs/promises';

/** Whether something is at `path`, links followed. Throws what the system throws where that cannot be told. */
export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
