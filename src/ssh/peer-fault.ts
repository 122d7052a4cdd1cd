/**
 * What ssh2 throws, rather than reports, while it takes packets apart: TypeErrors and the like would be our bugs, but
 * for the buffer of less than nothing that it makes where the padding is longer than its packet.
 */
const thrownByTransport =
  /^(Error: .*|RangeError: Invalid typed array length: -\d+\n.*\n.*FastBuffer .*)\n +at [^\n]*\/ssh2\/lib\/protocol\/(crypto|Protocol)\.js:/;

/** It says itself why it leaves, in words of its own and of as many lines as it likes. */
const saidByPeer = /^ +at DISCONNECT \([^\n]*\/ssh2\/lib\/(server|client)\.js:/m;

/**
 * Whether a connection ended by what its peer or the network did: then its error is of one line. Any other is a
 * bug of ours, and its stack is needed. `level` is ssh2's.
 */
export function isPeersFault(error: Error & { level?: string }): boolean {
  if (error.level !== undefined || error.message.startsWith('protocol error by the peer')) return true;
  const { stack = '' } = error;
  return thrownByTransport.test(stack) || saidByPeer.test(stack);
}
