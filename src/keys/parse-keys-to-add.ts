/** What people paste or pipe into `ssh-key add`: public keys, a line each, or one in another public format. */
import sshpk from 'sshpk';
import { GatewayError } from '../errors.ts';
import { hasControlCharacters } from '../platform/printable.ts';
import { parseOptions } from './authorized-keys-options.ts';
import { invalidKey } from './decode-key-blob.ts';
import type { KeyToAdd } from './keys.ts';
import { parsePublicKey, parsePublicKeyBlob } from './parse-public-key.ts';

const maxLineBytes = 16 * 1024;
const maxKeys = 1_000;
const privateMarks =
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-\d|Private-Lines:|SSH PRIVATE KEY FILE/;
const typeWord = /^(ssh-|ecdsa-|sk-)/;

/** Throws private-key (nothing of it is in the error) or invalid-key. Blank lines and `#` comments are skipped. */
export function parseKeysToAdd(text: string): KeyToAdd[] {
  if (privateMarks.test(text)) throw new GatewayError('private-key', {});
  if (/^---- BEGIN SSH2 PUBLIC KEY ----/m.test(text)) return [parseRfc4716(text)];
  if (/^-----BEGIN [A-Z ]*PUBLIC KEY-----/m.test(text)) return [parsePem(text)];
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) {
    throw invalidKey('no public key was given; try "cat ~/.ssh/id_ed25519.pub | ssh GATEWAY ssh-key add".');
  }
  if (lines.length > maxKeys) throw invalidKey(`more than ${maxKeys} keys at once; send them in parts.`);
  return lines.map(parseLine);
}

function parseLine(line: string): KeyToAdd {
  if (Buffer.byteLength(line) > maxLineBytes) throw invalidKey('a public key is one line of at most 16 KiB.');
  if (hasControlCharacters(line))
    throw invalidKey('this key holds control characters; copy the line of the .pub file again.');
  const hasOptions = !typeWord.test(line) && /[ \t](ssh-|ecdsa-|sk-)\S+[ \t]+AAAA/.test(line);
  const { restrictions, expiresAt, rest } = hasOptions
    ? parseOptions(line)
    : { restrictions: {}, expiresAt: undefined, rest: line };
  const key = parsePublicKey(rest);
  const comment = /^\S+[ \t]+\S+[ \t]+(.*)$/.exec(rest)?.[1]?.trim();
  return { key, restrictions, ...(expiresAt ? { expiresAt } : {}), ...(comment ? { comment } : {}) };
}

/** RFC 4716, what ssh.com and PuTTY's "Save public key" write. */
function parseRfc4716(text: string): KeyToAdd {
  const body = /---- BEGIN SSH2 PUBLIC KEY ----\r?\n([\s\S]*?)---- END SSH2 PUBLIC KEY ----/.exec(text)?.[1];
  if (body === undefined || body.length > maxLineBytes)
    throw invalidKey('this SSH2 public key file has no end; send all of it.');
  const unfolded = body.replace(/\\\r?\n/g, '');
  const comment = /^Comment: *"?(.*?)"?\r?$/im.exec(unfolded)?.[1];
  const base64 = unfolded.replace(/^[A-Za-z0-9@.-]+:.*$/gm, '').replace(/\s+/g, '');
  const key = parsePublicKeyBlob(Buffer.from(base64, 'base64'));
  if (comment && hasControlCharacters(comment))
    throw invalidKey('the comment of this key holds control characters.');
  return { key, restrictions: {}, ...(comment ? { comment } : {}) };
}

/** PKCS#8 and PKCS#1 public files. sshpk throws many kinds of errors. */
function parsePem(text: string): KeyToAdd {
  if (text.length > maxLineBytes) throw invalidKey('a public key file has at most 16 KiB.');
  let blob: Buffer;
  try {
    blob = sshpk.parseKey(text, 'pem').toBuffer('rfc4253', {});
  } catch {
    throw invalidKey('this public key file cannot be read; send the .pub file that ssh-keygen made.');
  }
  return { key: parsePublicKeyBlob(blob), restrictions: {} };
}
