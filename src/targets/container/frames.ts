/** Docker's stream framing: 8 bytes of header (stream, 3 zeros, length) before each piece of output. */

export type OutputStream = 'stdout' | 'stderr';

const headerBytes = 8;
const streams: readonly (OutputStream | undefined)[] = [undefined, 'stdout', 'stderr', 'stderr'];
/** The engine writes at most 32 KiB at once; far more than that is not its framing. */
const maxFrameBytes = 64 * 1024 * 1024;

/**
 * Returns a function that takes the connection's chunks and calls `onOutput` with slices of
 * them, copying nothing. It throws on bytes that are no framing.
 */
export function createFrameReader(
  onOutput: (stream: OutputStream, data: Buffer) => void,
): (chunk: Buffer) => void {
  const header = Buffer.alloc(headerBytes);
  let headerFilled = 0;
  let remaining = 0;
  let stream: OutputStream = 'stdout';
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (remaining === 0) {
        const taken = chunk.copy(header, headerFilled, at, at + headerBytes - headerFilled);
        at += taken;
        headerFilled += taken;
        if (headerFilled < headerBytes) return;
        headerFilled = 0;
        ({ stream, remaining } = readHeader(header));
        continue;
      }
      const data = chunk.subarray(at, at + remaining);
      at += data.length;
      remaining -= data.length;
      onOutput(stream, data);
    }
  };
}

function readHeader(header: Buffer): { stream: OutputStream; remaining: number } {
  const stream = streams[header[0]!];
  const remaining = header.readUInt32BE(4);
  if (!stream || remaining > maxFrameBytes) throw new Error('the engine sent output without its framing');
  return { stream, remaining };
}
