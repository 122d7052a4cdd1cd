/** The fields of a key or signature blob (RFC 4251 §5), read exactly. */

/** Thrown for a blob that is shorter, longer or otherwise not what its type says. */
export class MalformedBlob extends Error {
  override readonly name = 'MalformedBlob';
}

export class BlobReader {
  readonly #blob: Buffer;
  #offset = 0;

  constructor(blob: Buffer) {
    this.#blob = blob;
  }

  /** How many bytes were read so far. */
  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#blob.length;
  }

  /** A `string`: a view of the blob, not a copy. */
  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  byte(): number {
    const [byte] = this.#take(1);
    return byte as number;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  /** A positive `mpint` in its one shortest form, without the sign byte. */
  positiveInteger(): Buffer {
    const bytes = this.bytes();
    const [first, second] = bytes;
    if (first === undefined) throw new MalformedBlob('a number in it is zero');
    if (first >= 0x80) throw new MalformedBlob('a number in it is negative');
    if (first !== 0) return bytes;
    if (second === undefined || second < 0x80) throw new MalformedBlob('a number in it is padded');
    return bytes.subarray(1);
  }

  end(): void {
    if (!this.isAtEnd) throw new MalformedBlob('something follows the key');
  }

  #take(length: number): Buffer {
    const start = this.#offset;
    if (length > this.#blob.length - start) throw new MalformedBlob('it is cut short');
    this.#offset = start + length;
    return this.#blob.subarray(start, this.#offset);
  }
}

/** Of an unsigned big-endian number without leading zero bytes. */
export const bitLength = (number: Buffer): number =>
  number.length === 0 ? 0 : (number.length - 1) * 8 + (32 - Math.clz32(number[0] as number));
