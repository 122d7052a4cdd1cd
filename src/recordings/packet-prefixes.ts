/** Frames SFTP packets (a uint32 length, then so many bytes) and keeps only their beginnings: names are there, contents are not. */

/** Two paths of 4096 bytes and what stands round them. */
const prefixBytes = 12 * 1024;
/** OpenSSH takes 256 KiB; some servers more. */
const maxPacketBytes = 4 * 1024 * 1024;

/** What a length says that no packet has. */
export class NoPacket extends Error {
  override readonly name = 'NoPacket';
}

/** Returns a function that takes chunks and tells of each packet once its prefix is there. Throws NoPacket. */
export function createPacketPrefixes(onPacket: (prefix: Buffer) => void) {
  let held: Buffer = Buffer.alloc(0);
  /** Bytes of the packet under way that are of no interest. */
  let skip = 0;
  /** Returns what is left of the bytes behind a packet's prefix; undefined while that is not whole. */
  const take = (bytes: Buffer): Buffer | undefined => {
    if (bytes.length < 4) return undefined;
    const length = bytes.readUInt32BE(0);
    if (length === 0 || length > maxPacketBytes) throw new NoPacket(`a length of ${length}`);
    const end = 4 + Math.min(length, prefixBytes);
    if (bytes.length < end) return undefined;
    onPacket(bytes.subarray(4, end));
    skip = 4 + length - end;
    return bytes.subarray(end);
  };
  return (chunk: Buffer): void => {
    let rest: Buffer | undefined = chunk;
    while (rest && rest.length > 0) {
      const skipped = Math.min(skip, rest.length);
      skip -= skipped;
      const unskipped: Buffer = rest.subarray(skipped);
      const bytes = held.length === 0 ? unskipped : Buffer.concat([held, unskipped]);
      rest = take(bytes);
      // A copy: a part would keep the whole chunk.
      held = rest ? Buffer.alloc(0) : Buffer.from(bytes);
    }
  };
}

/** Reads fields one after another; what lacks bytes throws RangeError. */
export function createFieldReader(bytes: Buffer) {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('a field is cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const uint32 = () => take(4).readUInt32BE(0);
  return {
    uint8: () => take(1).readUInt8(0),
    uint32,
    uint64: () => take(8).readBigUInt64BE(0),
    bytes: () => take(uint32()),
    text: () => take(uint32()).toString('utf8'),
  };
}

export type FieldReader = ReturnType<typeof createFieldReader>;
