import type { Writable } from 'node:stream';

/** Resolves when `output` takes more, or will never: it is closed, or `closed` aborts. */
export function drained(output: Writable, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'error']) output.off(event, done);
      closed.removeEventListener('abort', done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) output.on(event, done);
    closed.addEventListener('abort', done);
    if (closed.aborted) done();
  });
}
