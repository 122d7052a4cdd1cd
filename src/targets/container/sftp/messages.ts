/** Messages of SFTP version 3 (draft-ietf-secsh-filexfer-02), read and written with every length checked. */

export const messageTypes = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** OpenSSH's limit, too: the client learns it by limits@openssh.com. */
export const maxMessageBytes = 256 * 1024;

/** A message, or a length, that the draft does not allow. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/**
 * Returns a function that takes chunks of the stream and answers with the whole messages in them,
 * without their length. Throws MalformedMessage at a length that no message has, before anything of it is kept.
 */
export function createMessageReader(): (chunk: Buffer) => readonly Buffer[] {
  let held: Buffer[] = [];
  let heldBytes = 0;
  return (chunk) => {
    held.push(chunk);
    heldBytes += chunk.length;
    const messages: Buffer[] = [];
    while (heldBytes >= 4) {
      if (held[0]!.length < 4) held = [Buffer.concat(held)];
      const length = held[0]!.readUInt32BE(0);
      if (length === 0 || length > maxMessageBytes) throw new MalformedMessage(`a length of ${length}`);
      if (heldBytes < 4 + length) break;
      const all = held.length === 1 ? held[0]! : Buffer.concat(held);
      messages.push(all.subarray(4, 4 + length));
      const rest = all.subarray(4 + length);
      held = rest.length ? [rest] : [];
      heldBytes = rest.length;
    }
    return messages;
  };
}

export interface FieldReader {
  readByte(): number;
  readUInt32(): number;
  /** A length or an offset; throws at what no file system can hold. */
  readUInt64(): number;
  readString(): Buffer;
  /** A path or a name: one character per byte, as latin1 has it, so that any bytes survive. */
  readPath(): string;
  /** The rest of the message has no fields of ours. */
  readonly remaining: number;
}

const maxPathBytes = 4_096;

/** Every method throws MalformedMessage where the message ends too early. */
export function createFieldReader(message: Buffer): FieldReader {
  let at = 0;
  const take = (bytes: number) => {
    if (message.length - at < bytes) throw new MalformedMessage('it ends too early');
    at += bytes;
    return at - bytes;
  };
  const readUInt32 = () => message.readUInt32BE(take(4));
  const readString = () => {
    const length = readUInt32();
    const from = take(length);
    return message.subarray(from, from + length);
  };
  return {
    readByte: () => message.readUInt8(take(1)),
    readUInt32,
    readUInt64() {
      const value = message.readBigUInt64BE(take(8));
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedMessage('a number is too large');
      return Number(value);
    },
    readString,
    readPath() {
      const path = readString();
      if (path.length > maxPathBytes || path.includes(0))
        throw new MalformedMessage('a path no file can have');
      return path.toString('latin1');
    },
    get remaining() {
      return message.length - at;
    },
  };
}

export type Field = Buffer;

export const uint32 = (value: number): Field => {
  const field = Buffer.alloc(4);
  field.writeUInt32BE(value >>> 0);
  return field;
};

export const uint64 = (value: number): Field => {
  const field = Buffer.alloc(8);
  field.writeBigUInt64BE(BigInt(value));
  return field;
};

/** A string field; text is taken as latin1, one character per byte, as paths are kept. */
export const stringField = (value: string | Buffer): Field => {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
};

/** The message with its length before it. */
export function messageOf(type: number, fields: readonly Field[]): Buffer {
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, type]), ...fields]);
  body.writeUInt32BE(body.length - 4);
  return body;
}
