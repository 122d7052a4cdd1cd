/**
 * The umask is all of a process's, and files are made by its threads: who needs another one for a moment waits until nothing
 * is being made, and what is to be made waits for them. Imports nothing but Node.
 */

/** A disk that hangs holds up no socket. */
const waitsAtMostMs = 1_000;

let making = 0;
let wake = () => {};
let masked: Promise<unknown> = Promise.resolve();

/** Makes files or folders, with the mask that this process began with. */
export async function makeUnmasked<T>(make: () => Promise<T>): Promise<T> {
  await masked;
  making++;
  try {
    return await make();
  } finally {
    making--;
    wake();
  }
}

/** `mask` is in force during the very call of `run`, and for nothing else. */
export function withUmask<T>(mask: number, run: () => Promise<T>): Promise<T> {
  const turn = masked.then(async () => {
    await nothingMade();
    const before = process.umask(mask);
    try {
      return run();
    } finally {
      process.umask(before);
    }
  });
  masked = turn.catch(() => {});
  return turn;
}

function nothingMade(): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(resolve, waitsAtMostMs);
    wake = () => {
      if (making > 0) return;
      clearTimeout(deadline);
      resolve();
    };
    wake();
  });
}
