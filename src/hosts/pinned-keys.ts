/** Host keys that are pinned: read from what people give, and told by their fingerprints. */
import { GatewayError } from '../errors.ts';
import { fingerprintOf, parsePublicKeyBlob } from '../keys/parse-public-key.ts';
import { excerpt } from '../platform/excerpt.ts';

/** One of each kind that a server proves itself with. */
const types: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]);
const maxKeys = 8;

/**
 * `TYPE BASE64` of each key in `text`: keys with commas or line ends between them, each as a .pub file has it, as
 * known_hosts and ssh-keyscan(1) have it (a host name first), or its base64 alone. Throws invalid-host.
 */
export function parseHostKeys(text: string): readonly string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const keys = [...new Set(lines.flatMap(parseLine))];
  if (keys.length > 0 && keys.length <= maxKeys) return keys;
  throw invalid(
    keys.length === 0 ? '--host-key has no key in it' : `--host-key takes at most ${maxKeys} keys`,
  );
}

function parseLine(line: string): readonly string[] {
  const blobs = line.split(/[ \t,]+/).filter((word) => /^AAAA[A-Za-z0-9+/]+={0,2}$/.test(word));
  if (blobs.length === 0) throw invalid(`"${excerpt(line)}" in --host-key is no public key`);
  return blobs.map(parseBlob);
}

function parseBlob(blob: string): string {
  const key = parsePublicKeyBlob(Buffer.from(blob, 'base64'));
  if (types.has(key.type)) return key.line;
  throw invalid(`a ${excerpt(key.type)} key in --host-key cannot be a server's`);
}

const invalid = (problem: string) =>
  new GatewayError('invalid-host', {
    problem: `${problem}; give lines of the server's /etc/ssh/ssh_host_*_key.pub.`,
  });

/** Type and `SHA256:…` of a `TYPE BASE64`. */
export function describeHostKey(line: string): { readonly type: string; readonly fingerprint: string } {
  const [type = '', base64 = ''] = line.split(' ');
  return { type, fingerprint: fingerprintOf(Buffer.from(base64, 'base64')) };
}
