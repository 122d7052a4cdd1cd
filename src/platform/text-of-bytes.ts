/** Bytes that are text for most people, and must come out as they went in for all: file names in command lines. */
import { isUtf8 } from 'node:buffer';

/** Half of a surrogate pair, which no UTF-8 decodes to, stands for a byte from 0x80: Python's surrogateescape (PEP 383). */
const firstEscape = 0xdc00;
const escapes = /([\udc80-\udcff]+)/u;

/** UTF-8, and whatever is none; `bytesOfText` undoes it. For people, JSON and databases it wants `toWellFormed()`. */
export function textOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at);
    text += length
      ? bytes.toString('utf8', at, at + length)
      : String.fromCharCode(firstEscape + (bytes[at] ?? 0));
    at += length || 1;
  }
  return text;
}

/** Undoes `textOfBytes`. */
export function bytesOfText(text: string): Buffer {
  if (!hasOtherBytes(text)) return Buffer.from(text);
  const parts = text.split(escapes);
  // Every second part is one that was found; its low halves are the bytes.
  return Buffer.concat(parts.map((part, index) => Buffer.from(part, index % 2 ? 'latin1' : 'utf8')));
}

/** Whether it stands for bytes that are no UTF-8. */
export const hasOtherBytes = (text: string): boolean => escapes.test(text);

/** RFC 3629 §3; 0 where none begins. */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}
