/** A frame on a stream: the length of what follows, as 32 bits with the highest first, then that many bytes of JSON text. */

const headBytes = 4;

/** The message as one frame. Throws a TypeError where JSON has no form for it. */
export function writeFrame(message: object): Buffer {
  const text = JSON.stringify(message);
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame.writeUInt32BE(length, 0);
  frame.write(text, headBytes);
  return frame;
}

/** Somebody sent a frame that is longer than it may be. */
export class FrameTooLong extends Error {
  override readonly name = 'FrameTooLong';
}

/**
 * Takes a stream as it comes, and calls back with the text of each frame and its length in bytes. No more than
 * `maxBytes()` are gathered: throws FrameTooLong as soon as a head promises more.
 */
export function createFrameReader(maxBytes: () => number, onFrame: (text: string, bytes: number) => void) {
  let chunks: Buffer[] = [];
  let gathered = 0;
  /** Of head and text together. */
  let needed = headBytes;

  return (chunk: Buffer): void => {
    chunks.push(chunk);
    gathered += chunk.length;
    if (gathered < needed) return;
    const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks, gathered);
    let at = 0;
    for (;;) {
      if (bytes.length - at < headBytes) {
        needed = headBytes;
        break;
      }
      const length = bytes.readUInt32BE(at);
      if (length > maxBytes()) throw new FrameTooLong(`a frame of ${length} bytes`);
      needed = headBytes + length;
      if (bytes.length - at < needed) break;
      const end = at + needed;
      onFrame(bytes.toString('utf8', at + headBytes, end), length);
      at = end;
    }
    // What is kept of a chunk keeps all of it, which is little: chunks are of 64 KiB.
    chunks = at < bytes.length ? [at === 0 ? bytes : bytes.subarray(at)] : [];
    gathered = bytes.length - at;
  };
}
