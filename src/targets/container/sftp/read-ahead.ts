/** Reads a file in large parts and ahead of a client that asks for small ones in order. */

export interface ReadAhead {
  read(offset: number, length: number): Promise<Buffer>;
  /** Forgets what was read, as after a write. */
  drop(): void;
}

/** Two of them are held for a file at most. */
const partBytes = 1024 * 1024;
/** A growing file is looked at again after that. */
const endHoldsMs = 500;

interface Part {
  readonly offset: number;
  readonly length: number;
  readonly data: Promise<Buffer>;
  readonly startedMs: number;
}

export function createReadAhead(fetch: (offset: number, length: number) => Promise<Buffer>): ReadAhead {
  let parts: Part[] = [];
  let expected = 0;

  const start = (offset: number, length: number): Part => {
    const part = { offset, length, data: fetch(offset, length), startedMs: performance.now() };
    part.data.catch(() => {});
    return part;
  };
  const partAt = (offset: number, wanted: number): Part => {
    const known = parts.find((part) => offset >= part.offset && offset < part.offset + part.length);
    if (known) {
      parts = parts.filter((part) => part.offset >= known.offset);
      return known;
    }
    const part = start(offset, offset === expected ? partBytes : wanted);
    parts = [part];
    return part;
  };
  const readOnce = async (offset: number, length: number): Promise<Buffer> => {
    const part = partAt(offset, length);
    let data: Buffer;
    try {
      data = await part.data;
    } catch (error) {
      parts = [];
      throw error;
    }
    const isShort = data.length < part.length;
    const found = data.subarray(offset - part.offset, offset - part.offset + length);
    if (found.length === 0 && performance.now() - part.startedMs > endHoldsMs) {
      parts = [];
      // Only what this very call found is the end.
      return readFresh(offset, length);
    }
    if (!isShort && part.length === partBytes && parts.length < 2 && parts.includes(part)) {
      parts.push(start(part.offset + part.length, partBytes));
    }
    return found;
  };
  const readFresh = (offset: number, length: number) => fetch(offset, length);

  return {
    async read(offset, length) {
      const found: Buffer[] = [];
      let bytes = 0;
      while (bytes < length) {
        const data = await readOnce(offset + bytes, length - bytes);
        if (data.length === 0) break;
        found.push(data);
        bytes += data.length;
        expected = offset + bytes;
      }
      return found.length === 1 ? found[0]! : Buffer.concat(found);
    },
    drop() {
      parts = [];
    },
  };
}
