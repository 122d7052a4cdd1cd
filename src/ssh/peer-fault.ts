/** What ssh2 throws, rather than reports, while it takes packets apart: TypeErrors and the like would be our bugs. */
const thrownByTransport = /^Error: .*\n +at [^\n]*\/ssh2\/lib\/protocol\/(crypto|Protocol)\.js:/;

/**
 * Whether a connection ended by what its peer or the network did: then its error is of one line. Any other is a
 * bug of ours, and its stack is needed. `level` is ssh2's.
 */
export function isPeersFault(error: Error & { level?: string }): boolean {
  if (error.level !== undefined || error.message.startsWith('protocol error by the peer')) return true;
  return thrownByTransport.test(error.stack ?? '');
}
