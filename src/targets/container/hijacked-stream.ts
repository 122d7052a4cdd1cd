/** The connection of a started exec, made safe to read to its end. */
import type { Duplex } from 'node:stream';

/**
 * A program may leave its stdin unread and exit. Then the engine closes the connection, our next
 * write fails with EPIPE, and Node would destroy the socket with the program's last output still in
 * it. So: a failed write only stops the writing (`onWriteFailed`), a failed read is the end of output.
 */
export function readToTheEnd(stream: Duplex, onWriteFailed: () => void): void {
  const destroy = stream.destroy.bind(stream);
  let ended = false;
  for (const name of ['_write', '_writev', '_final'] as const) forgive(stream, name, onWriteFailed);
  stream.destroy = (error) => {
    if (!error) return destroy();
    if (!ended) {
      ended = true;
      stream.push(null);
    }
    return stream;
  };
  stream.on('error', () => {});
}

type Done = (error?: Error | null) => void;

/** To the stream itself it has gone well: of one that has failed in anything nothing is read any more, not even its end. */
function forgive(stream: Duplex, name: '_write' | '_writev' | '_final', onFailed: () => void): void {
  const method = stream[name] as ((...args: unknown[]) => void) | null | undefined;
  if (!method) return;
  stream[name] = (...args: unknown[]) => {
    const done = args.pop() as Done;
    method.call(stream, ...args, (error?: Error | null) => {
      if (error) onFailed();
      done();
    });
  };
}
