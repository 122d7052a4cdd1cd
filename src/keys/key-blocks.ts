/** Public keys that span lines: SSH2 files (RFC 4716) and PEM (PKCS#8 or PKCS#1). */
import { parseKey } from 'sshpk';
import { GatewayError } from '../errors.ts';
import type { PublicKey } from './key-types.ts';
import { parsePublicKeyBlob } from './parse-public-key.ts';

export interface BlockFormat {
  readonly begin: RegExp;
  readonly end: RegExp;
  /** `lines` stand between begin and end. Throws invalid-key. */
  readonly parse: (lines: readonly string[], begin: string, end: string) => BlockKey;
}

interface BlockKey {
  readonly key: PublicKey;
  readonly comment?: string;
}

const invalid = (problem: string) => new GatewayError('invalid-key', { problem });

/** RFC 4716 §3: headers that a backslash continues, then base64. */
const parseSsh2: BlockFormat['parse'] = (lines) => {
  const unfolded = lines.join('\n').replace(/\\\n/g, '').split('\n');
  const isHeader = (line: string) => line.includes(':');
  const body = unfolded.filter((line) => !isHeader(line)).join('');
  const blob = Buffer.from(body, 'base64');
  if (blob.toString('base64') !== body)
    throw invalid('this SSH2 public key is broken: its base64 is damaged or incomplete.');
  const comment = unfolded
    .filter(isHeader)
    .map((line) => /^comment:\s*(.*)$/i.exec(line)?.[1]?.trim())
    .find((value) => value !== undefined);
  const key = parsePublicKeyBlob(blob);
  return comment === undefined ? { key } : { key, comment: comment.replace(/^"(.*)"$/, '$1') };
};

const parsePem: BlockFormat['parse'] = (lines, begin, end) => ({
  key: parsePublicKeyBlob(pemToBlob([begin, ...lines, end])),
});

function pemToBlob(lines: readonly string[]): Buffer {
  try {
    // Never 'auto', which takes private keys silently.
    return parseKey(lines.join('\n'), 'pem').toBuffer('rfc4253');
  } catch (cause) {
    const problem =
      'this PEM public key cannot be read; convert it with "ssh-keygen -i -m PKCS8 -f FILE" and send what that prints.';
    throw new GatewayError('invalid-key', { problem }, { cause });
  }
}

export const blockFormats: readonly BlockFormat[] = [
  {
    begin: /^---- BEGIN SSH2 PUBLIC KEY ----\s*$/,
    end: /^---- END SSH2 PUBLIC KEY ----\s*$/,
    parse: parseSsh2,
  },
  {
    begin: /^-----BEGIN (RSA )?PUBLIC KEY-----\s*$/,
    end: /^-----END (RSA )?PUBLIC KEY-----\s*$/,
    parse: parsePem,
  },
];
