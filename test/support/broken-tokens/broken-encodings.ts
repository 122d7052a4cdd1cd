/** Tokens whose parts are right and whose spelling is not, and blobs that are cut, grown or misnamed. */
import { uint32 } from '../certificate-blobs.ts';
import { field } from '../keys.ts';
import { named } from '../tokens.ts';
import { type BrokenToken, forge, otherSigner, signer } from './broken-token.ts';

type Change = (token: string) => string;

const base64url = /canonical base64url/;
const parts = /not exe0, payload and signature/;
/** Of a length whose last character has bits to spare. */
const mended = forge({ permissions: '{"exp":4000000000}', reserved: 'ab' });
const [, payload = '', signature = ''] = mended.split('.');
/** Its payload has both `-` and `_`. */
const withSigns = forge({ permissions: '{"ctx": "~~~???"}' });
/** Its payload could be padded, and ends in spare bits. */
const withSpare = forge({ permissions: '{"cmds":[]}' });
const inPayload = (change: Change) => (token: string) => {
  const [prefix, text = '', rest] = token.split('.');
  return [prefix, change(text), rest].join('.');
};

const spelled = (
  refused: RegExp,
  list: readonly (readonly [name: string, change: Change, token?: string])[],
): BrokenToken[] =>
  list.map(([name, change, token = mended]) => ({ name, broken: change(token), mended: token, refused }));

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The same bytes, were the bits past the last one not looked at. */
const strayBit = (text: string) => {
  const last = alphabet.indexOf(text.at(-1) as string);
  return text.slice(0, -1) + alphabet[last + 1];
};

const spelling = spelled(base64url, [
  ['padding behind the payload', inPayload((text) => `${text}=`), withSpare],
  ['padding behind the signature', (token) => `${token}==`],
  ['one sign of padding where two belong', (token) => `${token}=`],
  ['+ for -', (token) => token.replace('-', '+'), withSigns],
  ['/ for _', (token) => token.replace('_', '/'), withSigns],
  ['stray bits in the payload', inPayload(strayBit), withSpare],
  ['stray bits in the signature', (token) => token.replace(/[^.]*$/, strayBit)],
  ['a blank behind', (token) => `${token} `],
  ['a line feed behind', (token) => `${token}\n`],
  ['a NUL behind', (token) => `${token}\0`],
  ['a blank in the payload', (token) => token.replace('exe0.', 'exe0. ')],
  ['a line feed in the signature', (token) => `${token.slice(0, -70)}\n${token.slice(-70)}`],
  ['a sign that Node passes over', (token) => `${token.slice(0, -10)}!${token.slice(-10)}`],
  ['a character beyond ASCII', (token) => `${token.slice(0, -10)}é${token.slice(-10)}`],
  ['three characters too many', (token) => `${token}AAA`],
  ['no payload', () => `exe0..${signature}`],
  ['no signature', () => `exe0.${payload}.`],
  ['neither', () => 'exe0..'],
  ['percent signs', (token) => token.replace(/.$/, (last) => `%${last.charCodeAt(0).toString(16)}`)],
  ['the armor of a signature file', () => `exe0.${payload}.-----BEGIN SSH SIGNATURE-----`],
]);

const splitting = spelled(parts, [
  ['nothing', () => ''],
  ['the prefix alone', () => 'exe0'],
  ['no signature and no dot', () => `exe0.${payload}`],
  ['a dot behind', (token) => `${token}.`],
  ['a fourth part', (token) => `${token}.AAAA`],
  ['a dot in front', (token) => `.${token}`],
  ['no prefix', (token) => token.slice('exe0.'.length)],
  ['the prefix of another version', (token) => token.replace('exe0', 'exe2')],
  ['the prefix in capitals', (token) => token.replace('exe0', 'EXE0')],
  ['a blank in front', (token) => ` ${token}`],
  ['a byte order mark in front', (token) => `\ufeff${token}`],
  ['the scheme before it', (token) => `Bearer ${token}`],
  ['dots of another alphabet', (token) => token.replaceAll('.', '．')],
  ['dots written %2e', (token) => token.replaceAll('.', '%2e')],
]);

const exchanged = spelled(/none of ssh-keygen/, [
  ['payload and signature exchanged', () => `exe0.${signature}.${payload}`],
]);

/** Two of these whose lengths differ by one: of 8192 and of 8193 bytes. */
function findLongest(): readonly [fits: string, tooLong: string] {
  const permissions = (length: number) => `{"ctx":"${'x'.repeat(length)}"}`;
  const found = new Map<number, string>();
  for (let length = 5800; length < 6100 && found.size < 2; length++) {
    for (let reserved = 0; reserved < 3; reserved++) {
      const token = forge({ permissions: permissions(length), reserved: 'r'.repeat(reserved) });
      if (token.length === 8192 || token.length === 8193) found.set(token.length, token);
    }
  }
  return [found.get(8192) as string, found.get(8193) as string];
}
const [fits, oneMore] = findLongest();

const sshsig = (
  refused: RegExp,
  list: readonly (readonly [name: string, broken: Parameters<typeof forge>[0]])[],
): BrokenToken[] => list.map(([name, broken]) => ({ name, broken: forge(broken), mended: forge(), refused }));

const broken = /signature is broken/;
const forgery = /does not hold/;
const lengthAt = (offset: number, change: number) => (blob: Buffer) => {
  const changed = Buffer.from(blob);
  changed.writeUInt32BE(changed.readUInt32BE(offset) + change, offset);
  return changed;
};
const soundBlob = Buffer.from(forge().split('.')[2] as string, 'base64url');
/** Where each field of the sound blob begins: key, namespace, reserved, hash, signature. */
const starts = [10];
for (let at = 10; at < soundBlob.length; ) {
  at += 4 + soundBlob.readUInt32BE(at);
  starts.push(at);
}
const fieldNames = ['key', 'namespace', 'reserved field', 'hash', 'signature'];

const cut = sshsig(
  broken,
  fieldNames.flatMap((name, index) => {
    const [start, end] = [starts[index] as number, starts[index + 1] as number];
    return [
      [`cut before the ${name}`, { blob: (blob: Buffer) => blob.subarray(0, start) }],
      [`cut in the length of the ${name}`, { blob: (blob: Buffer) => blob.subarray(0, start + 3) }],
      ...(end - start > 5
        ? ([[`cut in the ${name}`, { blob: (blob: Buffer) => blob.subarray(0, end - 1) }]] as const)
        : []),
      [`the ${name} said to have four gigabytes`, { blob: lengthAt(start, 0xffff_0000) }],
    ] as const;
  }),
);

const grown = sshsig(broken, [
  ['a byte behind the signature', { blob: (blob) => Buffer.concat([blob, Buffer.alloc(1)]) }],
  ['a field behind the signature', { blob: (blob) => Buffer.concat([blob, field('more')]) }],
  ['a second blob behind the first', { blob: (blob) => Buffer.concat([blob, blob]) }],
]);

const heads = [
  ...sshsig(/none of ssh-keygen/, [
    ['the magic in small letters', { magic: 'sshsig' }],
    ['no magic', { magic: '' }],
    ['the magic as a field', { blob: (blob) => Buffer.concat([field('SSHSIG'), blob.subarray(6)]) }],
    ['a signature of another program', { magic: 'PGPSIG' }],
    ['cut in the magic', { blob: (blob) => blob.subarray(0, 5) }],
  ]),
  ...sshsig(/unknown version/, [
    ['version 0', { version: 0 }],
    ['version 2', { version: 2 }],
    ['version 1 with its bytes turned round', { version: 0x0100_0000 }],
  ]),
  ...sshsig(broken, [['cut in the version', { blob: (blob: Buffer) => blob.subarray(0, 8) }]]),
];

const hashes = [
  ...sshsig(/hash that is not accepted/, [
    ['the hash sha1', { hash: 'sha1' }],
    ['the hash md5', { hash: 'md5' }],
    ['the hash sha384', { hash: 'sha384' }],
    ['the hash in capitals', { hash: 'SHA512', usedHash: 'sha512' }],
    ['no hash', { hash: '', usedHash: 'sha512' }],
    ['a NUL behind the hash', { hash: 'sha512\0', usedHash: 'sha512' }],
    ['the hash __proto__', { hash: '__proto__', usedHash: 'sha512' }],
  ]),
  ...sshsig(forgery, [
    ['sha512 named and sha256 used', { hash: 'sha512', usedHash: 'sha256' }],
    ['sha256 named and sha512 used', { hash: 'sha256', usedHash: 'sha512' }],
    ['sha256 named and sha1 used', { hash: 'sha256', usedHash: 'sha1' }],
  ]),
];

/** What was signed is not what stands in the token. */
const changed = sshsig(forgery, [
  ['the payload changed afterwards', { payload: () => Buffer.from('{"cmds":["ssh"]}') }],
  ['a blank put into the payload afterwards', { payload: () => Buffer.from('{ }') }],
  ['the hash changed afterwards', { fields: (fields) => ({ ...fields, hash: Buffer.from('sha256') }) }],
  [
    'the reserved field filled afterwards',
    { fields: (fields) => ({ ...fields, reserved: Buffer.from('x') }) },
  ],
  ['the key of another registered person put in', { key: otherSigner.blob }],
  ['signed by another registered key', { signer: { blob: signer.blob, sign: otherSigner.sign } }],
  [
    'a namespace of ours put over one that was signed for files',
    { namespace: 'file', fields: (fields) => ({ ...fields, namespace: Buffer.from('v0@gateway.example') }) },
  ],
  [
    'the payload signed as it is, without SSHSIG around it',
    { fields: (fields) => ({ ...fields, signature: signer.sign(Buffer.from('{}')) }) },
  ],
  [
    'no signature in the field of the signature',
    { fields: (fields) => ({ ...fields, signature: Buffer.alloc(0) }) },
  ],
  [
    'zeros for a signature',
    { fields: (fields) => ({ ...fields, signature: named('ssh-ed25519', Buffer.alloc(64)) }) },
  ],
  [
    'a signature of four gigabytes',
    {
      fields: (fields) => ({ ...fields, signature: Buffer.concat([uint32(0xffff_ffff), fields.signature]) }),
    },
  ],
]);

export const brokenEncodings: readonly BrokenToken[] = [
  ...spelling,
  ...splitting,
  ...exchanged,
  { name: '8193 bytes', broken: oneMore, mended: fits, refused: /longer than 8192/ },
  ...heads,
  ...cut,
  ...grown,
  ...hashes,
  ...changed,
];
