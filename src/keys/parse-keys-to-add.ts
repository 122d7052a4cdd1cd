/** What people send as "my public key": lines of .pub files and authorized_keys, SSH2 files, PEM. */
import { GatewayError, isGatewayError } from '../errors.ts';
import { hasControlCharacters } from '../platform/printable.ts';
import { parseOptions, splitOptions } from './authorized-keys-options.ts';
import { blockFormats } from './key-blocks.ts';
import type { KeyToAdd } from './keys.ts';
import { parseTypeAndBase64 } from './parse-public-key.ts';
import { holdsPrivateKey } from './private-key.ts';

const maxLineBytes = 16 * 1024;
/** More than an account may hold by far; each costs a look at the curve. */
const maxKeys = 1000;

/**
 * One key per line, or per block; blank lines and those that begin with `#` are passed over. No key at all
 * is an error. Throws private-key (which keeps and shows nothing of it) and invalid-key.
 */
export function parseKeysToAdd(text: string): KeyToAdd[] {
  if (holdsPrivateKey(text)) throw new GatewayError('private-key', {});
  if (text.includes('\0'))
    throw invalid('this is not text: it holds NUL bytes; send the .pub file as it is.');
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const keys: KeyToAdd[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] as string).trim();
    if (line === '' || line.startsWith('#')) continue;
    if (keys.length === maxKeys) throw invalid(`these are more than ${maxKeys} keys; send fewer at once.`);
    const block = blockFormats.find(({ begin }) => begin.test(line));
    const number = index + 1;
    if (block) {
      let length = 0;
      while (index + length < lines.length && !block.end.test((lines[index + length] as string).trim()))
        length++;
      if (index + length === lines.length)
        throw invalid('this public key file is cut short: its last line is missing.');
      const inner = lines.slice(index + 1, index + length).map((inside) => inside.trim());
      const end = (lines[index + length] as string).trim();
      keys.push(inLine(number, lines, () => checked({ restrictions: {}, ...block.parse(inner, line, end) })));
      index += length;
    } else {
      keys.push(inLine(number, lines, () => checked(parseKeyLine(line))));
    }
  }
  if (keys.length === 0) throw invalid('there is no public key in it; send the .pub file.');
  return keys;
}

/** `[OPTIONS] TYPE BASE64 [COMMENT]`, sshd(8) AUTHORIZED_KEYS FILE FORMAT. Throws invalid-key. */
function parseKeyLine(line: string): KeyToAdd {
  if (Buffer.byteLength(line) > maxLineBytes) throw invalid('a public key line may have 16 KiB.');
  const bare = splitKey(line);
  if (bare) return { key: parseTypeAndBase64(bare.type, bare.base64), ...commentOf(bare), restrictions: {} };
  const [options, rest] = splitOptions(line);
  const key = splitKey(rest);
  if (!key) throw invalid('this is no public key: one looks like "ssh-ed25519 AAAA… comment".');
  return { key: parseTypeAndBase64(key.type, key.base64), ...commentOf(key), ...parseOptions(options) };
}

interface KeyParts {
  readonly type: string;
  readonly base64: string;
  readonly comment: string;
}

/** A type word is known by its beginning, or by base64 that begins as every key blob does. */
function splitKey(line: string): KeyParts | undefined {
  const [, type, base64 = '', comment = ''] =
    /^([A-Za-z0-9@._-]{1,64})(?:[ \t]+(\S+))?(?:[ \t]+(.*))?$/s.exec(line) ?? [];
  if (type === undefined) return undefined;
  const known = /^(ssh-|ecdsa-|sk-|webauthn-|x509v3-)/.test(type) || base64.startsWith('AAAA');
  return known ? { type, base64, comment: comment.trim() } : undefined;
}

const commentOf = ({ comment }: KeyParts) => (comment === '' ? {} : { comment });

function checked(key: KeyToAdd): KeyToAdd {
  if (key.comment !== undefined && hasControlCharacters(key.comment)) {
    throw invalid('the comment of this key holds control characters; remove them.');
  }
  return key;
}

/** Among several lines, an error says which. */
function inLine<Result>(number: number, lines: readonly string[], parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (!isGatewayError(error, 'invalid-key') || lines.filter((line) => line.trim() !== '').length === 1)
      throw error;
    throw new GatewayError(
      'invalid-key',
      { problem: `line ${number}: ${error.message}` },
      { cause: error.cause },
    );
  }
}

const invalid = (problem: string) => new GatewayError('invalid-key', { problem });
