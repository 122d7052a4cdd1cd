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
  stream.destroy = (error) => {
    if (!error) return destroy();
    if ((error as NodeJS.ErrnoException).syscall === 'write') onWriteFailed();
    else if (!ended) {
      ended = true;
      stream.push(null);
    }
    return stream;
  };
  stream.on('error', () => {});
}
