/** The lists inside an OpenSSH certificate (PROTOCOL.certkeys): principals, critical options, extensions. */
import { BlobReader, MalformedBlob } from './blob-reader.ts';

/** By name; a flag has an empty value, an option with a value the text in it. */
export type CertificateOptions = ReadonlyMap<string, Buffer>;

/** As OpenSSH has it. */
const maxPrincipals = 256;
const maxOptions = 64;
const maxTextBytes = 4 * 1024;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text that reads one way only: UTF-8 without NUL. Throws MalformedBlob. */
export function readText(bytes: Buffer, what: string): string {
  if (bytes.length > maxTextBytes) throw new MalformedBlob(`${what} is too long`);
  if (bytes.includes(0)) throw new MalformedBlob(`${what} holds a NUL`);
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedBlob(`${what} is no UTF-8`);
  }
}

/** Throws MalformedBlob. */
export function readPrincipals(list: Buffer): readonly string[] {
  const reader = new BlobReader(list);
  const principals: string[] = [];
  while (!reader.isAtEnd) {
    if (principals.length === maxPrincipals) throw new MalformedBlob('it has too many principals');
    const principal = readText(reader.bytes(), 'a principal in it');
    if (principal === '') throw new MalformedBlob('a principal in it is empty');
    principals.push(principal);
  }
  return principals;
}

/** In the order of their names, each once. Throws MalformedBlob. */
export function readOptions(list: Buffer): CertificateOptions {
  const reader = new BlobReader(list);
  const options = new Map<string, Buffer>();
  let last = '';
  while (!reader.isAtEnd) {
    if (options.size === maxOptions) throw new MalformedBlob('it has too many options');
    const name = reader.bytes().toString('latin1');
    if (!/^[\x21-\x7e]{1,128}$/.test(name)) throw new MalformedBlob('an option in it has no sound name');
    if (name <= last) throw new MalformedBlob('the options in it are repeated or out of order');
    options.set(name, reader.bytes());
    last = name;
  }
  return options;
}

/** The text of an option that has one: a `string` in the option's value, and nothing else. Throws MalformedBlob. */
export function optionText(value: Buffer): string {
  const reader = new BlobReader(value);
  const text = readText(reader.bytes(), 'an option in it');
  reader.end();
  return text;
}
