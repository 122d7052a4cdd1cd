/** What passes a lane: a byte for the kind, 3 of zeros, 4 of length, then so many bytes. Imports nothing but Node. */

/** Of one stream after the other; never of two at a time. */
export const frame = { begin: 1, data: 2, end: 3 } as const;

export type Frame = (typeof frame)[keyof typeof frame];

export const headerBytes = 8;
const empty = Buffer.alloc(0);

export function frameHeader(kind: Frame, length: number): Buffer {
  return writeFrameHeader(Buffer.allocUnsafe(headerBytes), kind, length);
}

/** Where it is to stand: at the beginning of `to`, which it returns. */
export function writeFrameHeader(to: Buffer, kind: Frame, length: number): Buffer {
  to.fill(0, 0, headerBytes);
  to[0] = kind;
  to.writeUInt32BE(length, 4);
  return to;
}

/**
 * Takes what comes; data is handed over in pieces, as it comes, and the others whole, of `maxWholeBytes` at most. Throws on bytes
 * that are no such frames.
 */
export function createLaneReader(
  maxWholeBytes: number,
  onFrame: (kind: Frame, bytes: Buffer) => void,
): (chunk: Buffer) => void {
  let held: Buffer = empty;
  /** Of a frame of data. */
  let left = 0;
  return (chunk) => {
    let rest = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    held = empty;
    while (rest.length > 0) {
      if (left > 0) {
        const piece = rest.subarray(0, left);
        left -= piece.length;
        rest = rest.subarray(piece.length);
        onFrame(frame.data, piece);
        continue;
      }
      const { kind, length } = readHeader(rest, maxWholeBytes);
      if (kind === frame.data) {
        left = length;
        rest = rest.subarray(headerBytes);
      } else if (kind === undefined || rest.length < headerBytes + length) {
        // Whoever reads the lane may use the memory again.
        held = Buffer.from(rest);
        return;
      } else {
        const bytes = rest.subarray(headerBytes, headerBytes + length);
        rest = rest.subarray(headerBytes + length);
        onFrame(kind, bytes);
      }
    }
  };
}

/** No kind: there is more to come of it. */
function readHeader(
  bytes: Buffer,
  maxWholeBytes: number,
): { readonly kind: Frame | undefined; readonly length: number } {
  if (bytes.length < headerBytes) return { kind: undefined, length: 0 };
  const kind = bytes[0] as Frame;
  const length = bytes.readUInt32BE(4);
  if (kind < frame.begin || kind > frame.end) throw new Error('that is no frame');
  if (kind !== frame.data && length > maxWholeBytes) throw new Error('a frame is too long');
  return { kind, length };
}
