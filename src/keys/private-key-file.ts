/** What a file that should hold a private key holds, told without reading the key itself. */

/** `foreign`: a private key in a format that the gateway does not use. */
export type PrivateKeyFile = 'usable' | 'encrypted' | 'foreign' | 'none';

const frame = /^-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----\r?\n([\s\S]*?)-----END \1PRIVATE KEY-----\s*$/;

/** As ssh-keygen(1) writes them: OpenSSH's own format (PROTOCOL.key) or PEM (RFC 7468, RFC 1421). */
export function classifyPrivateKeyFile(text: string): PrivateKeyFile {
  const [, label, body = ''] = frame.exec(text.trimStart()) ?? [];
  if (label === undefined) return /PuTTY-User-Key-File-\d|SSH2 .*PRIVATE KEY/.test(text) ? 'foreign' : 'none';
  if (label === 'OPENSSH ') return classifyOpenSsh(Buffer.from(body, 'base64'));
  if (label === 'ENCRYPTED ' || /^Proc-Type: 4,ENCRYPTED/m.test(body)) return 'encrypted';
  return label === 'RSA ' || label === 'EC ' ? 'usable' : 'foreign';
}

const magic = Buffer.from('openssh-key-v1\0');

/** After the magic comes the name of the cipher, `none` where there is no passphrase. */
function classifyOpenSsh(bytes: Buffer): PrivateKeyFile {
  const start = magic.length + 4;
  if (bytes.length < start || !bytes.subarray(0, magic.length).equals(magic)) return 'none';
  const cipher = bytes.subarray(start, start + bytes.readUInt32BE(magic.length)).toString('latin1');
  return cipher === 'none' ? 'usable' : 'encrypted';
}
