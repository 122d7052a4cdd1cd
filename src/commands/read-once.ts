/** Reading a session's stdin piece by piece, by whoever must also notice that the session is being ended. */
import type { Readable } from 'node:stream';

/** The next chunk of a stream; undefined at its end, its failure, or when `closed` fires. */
export async function readOnce(source: Readable, closed: AbortSignal): Promise<Buffer | undefined> {
  for (;;) {
    if (closed.aborted) return undefined;
    const chunk: unknown = source.read();
    if (chunk !== null) return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    if (source.readableEnded || source.destroyed) return undefined;
    await nextEvent(source, closed);
  }
}

const events = ['readable', 'end', 'close', 'error'] as const;

function nextEvent(source: Readable, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) source.off(event, done);
      closed.removeEventListener('abort', done);
      resolve();
    };
    for (const event of events) source.on(event, done);
    closed.addEventListener('abort', done, { once: true });
  });
}
