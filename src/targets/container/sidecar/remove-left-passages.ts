import { lstat, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { passagePrefix, passageSocket } from './open-passage.ts';

/** Younger ones may have no socket yet. */
const usuallyLeftAfterMs = 60_000;
const answersWithinMs = 1_000;

/** Removes folders of passages on which nobody listens any more, of processes of this user that had no time to. */
export async function removeLeftPassages(parent = tmpdir(), leftAfterMs = usuallyLeftAfterMs): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(passagePrefix));
  for (const name of names) {
    const outer = join(parent, name);
    // What is another user's, that one could change while it is removed.
    if ((await isOwnAndOld(outer, leftAfterMs)) && (await isLeft(outer)))
      await rm(outer, { recursive: true, force: true });
  }
}

const isOwnAndOld = (path: string, leftAfterMs: number): Promise<boolean> =>
  lstat(path).then(
    (facts) =>
      facts.isDirectory() && facts.uid === process.getuid?.() && facts.ctimeMs < Date.now() - leftAfterMs,
    () => false,
  );

function isLeft(outer: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(passageSocket(outer));
    const told = (answer: boolean) => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    const deadline = setTimeout(() => told(false), answersWithinMs);
    socket.once('connect', () => told(false));
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      told(code === 'ECONNREFUSED' || code === 'ENOENT'),
    );
  });
}
