import { MalformedToken } from './malformed-token.ts';

/** RFC 4648 §5 without padding, in its one canonical spelling. Throws MalformedToken. */
export function decodeBase64url(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  // Node reads past what does not belong there; what it would write is the only spelling accepted.
  if (text === '' || bytes.toString('base64url') !== text) {
    throw new MalformedToken('a part of it is not canonical base64url');
  }
  return bytes;
}
