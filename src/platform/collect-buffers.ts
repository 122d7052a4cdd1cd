/**
 * What is carried passes through buffers that V8 counts outside its heap, and each is garbage at once. The few objects
 * round them fill no young generation, so V8 collects them by marking the whole heap, every 32 MiB or so: more work than
 * all the rest of carrying. A collection of the young generation takes some 0.3 ms and frees the same. Imports nothing but Node.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** With 16 MiB, V8 begins to mark before it comes to this. */
const collectEveryBytes = 8 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor'; readonly execution: 'sync' }) => void;

let madeBytes = 0;
let isLent = false;
let collect: Collect | undefined;

/** To be called for all that is carried in bulk. */
export function noteCarried(bytes: number): void {
  if (!isLent) noteMade(bytes);
}

/** What `carry` carries lies in a buffer that is used again. */
export function carryLent<Result>(carry: () => Result): Result {
  isLent = true;
  try {
    return carry();
  } finally {
    isLent = false;
  }
}

/** To be called for a buffer that is made in place of one that was to be used again. */
export function noteMade(bytes: number): void {
  madeBytes += bytes;
  if (madeBytes < collectEveryBytes) return;
  madeBytes = 0;
  collect ??= findCollect();
  collect({ type: 'minor', execution: 'sync' });
}

/** Node gives it to nobody who was not started with the flag, but to contexts that are made later. */
function findCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => {};
}
