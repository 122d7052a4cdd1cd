/** The data types of RFC 4251 §5, read from and written into Buffers. */

/** Thrown when a message is shorter than its fields; the connection ends with a protocol error. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

export class WireReader {
  #buffer: Buffer;
  #offset: number;

  constructor(buffer: Buffer, offset = 0) {
    this.#buffer = buffer;
    this.#offset = offset;
  }

  get remaining(): number {
    return this.#buffer.length - this.#offset;
  }

  byte(): number {
    return this.#take(1)[0] as number;
  }

  boolean(): boolean {
    return this.byte() !== 0;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  /** A view into the message, not a copy. */
  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  /** Invalid UTF-8 becomes U+FFFD. */
  text(): string {
    return this.bytes().toString('utf8');
  }

  rest(): Buffer {
    return this.#take(this.remaining);
  }

  #take(length: number): Buffer {
    if (length > this.remaining) throw new MalformedMessage('a field is longer than its message');
    const slice = this.#buffer.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return slice;
  }
}

export function byte(value: number): Buffer {
  return Buffer.from([value & 0xff]);
}

export function boolean(value: boolean): Buffer {
  return byte(value ? 1 : 0);
}

export function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(value >>> 0, 0);
  return buffer;
}

export function string(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Of a number that is not negative, its most significant byte first. */
export function mpint(bytes: Buffer): Buffer {
  const start = bytes.findIndex((each) => each !== 0);
  const digits = bytes.subarray(start === -1 ? bytes.length : start);
  return string((digits[0] ?? 0) >= 0x80 ? Buffer.concat([byte(0), digits]) : digits);
}
