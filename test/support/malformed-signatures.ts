/** Signatures of a security key that are nearly right, and some that are nothing of the kind. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { field, mpint } from './keys.ts';
import { assemble, makeSecurityKey, type SecurityKey, statement, touched, verified } from './security-key.ts';

/** What it is, the blob, and the algorithm the request says it is of, when that is not the key's type. */
export type MalformedSignature = [name: string, signature: Buffer, algorithm?: string];

export function malformedSignatures(key: SecurityKey, data: Buffer): MalformedSignature[] {
  return [
    ...cutAndGrown(key, data),
    ...misstated(key, data),
    ...misnamed(key, data),
    ...misshapen(key, data),
  ];
}

function cutAndGrown(key: SecurityKey, data: Buffer): MalformedSignature[] {
  const good = key.sign(data);
  const raw = key.rawSignature(data);
  const stated = statement({});
  const ending = (rest: Buffer) => assemble(key.type, raw, rest);
  return [
    ['empty', Buffer.alloc(0)],
    ['one byte', Buffer.from([0])],
    ['a length and nothing more', Buffer.from([0, 0, 0, 1])],
    ['the name alone', field(key.type)],
    ['without flags and counter', ending(Buffer.alloc(0))],
    ['without the counter', ending(stated.subarray(0, 1))],
    ['a counter of three bytes', good.subarray(0, -1)],
    ['a counter of five bytes', ending(Buffer.concat([stated, Buffer.alloc(1)]))],
    ['a second statement behind the first', ending(Buffer.concat([stated, stated]))],
    ['a second signature behind the first', Buffer.concat([good, good])],
    ['flags and counter as a string', ending(field(stated))],
    [
      'flags and counter inside the string',
      assemble(key.type, Buffer.concat([raw, stated]), Buffer.alloc(0)),
    ],
    ['flags and counter twice', assemble(key.type, Buffer.concat([raw, stated]), stated)],
    ['flags and counter in front', Buffer.concat([field(key.type), stated, field(raw)])],
    ['wrapped in another string', field(good)],
    ['without its first byte', good.subarray(1)],
    ['30 kB of zeros behind it', Buffer.concat([good, Buffer.alloc(30_000)])],
  ];
}

function misstated(key: SecurityKey, data: Buffer): MalformedSignature[] {
  const raw = key.rawSignature(data, { flags: touched, counter: 7 });
  const stated = (flags: number, counter: number) => assemble(key.type, raw, statement({ flags, counter }));
  const untouched = key.rawSignature(data, { flags: 0, counter: 7 });
  return [
    ['presence taken out', stated(0, 7)],
    ['verification put in', stated(touched | verified, 7)],
    ['an unknown flag put in', stated(touched | 0x80, 7)],
    ['presence put in', assemble(key.type, untouched, statement({ flags: touched, counter: 7 }))],
    ['another counter', stated(touched, 8)],
    ['the counter turned round', stated(touched, 0x07_00_00_00)],
    ['another application', key.sign(data, { application: 'ssh:other' })],
    ['no application', key.sign(data, { application: '' })],
    ['another message', key.sign(Buffer.concat([data, Buffer.alloc(1)]))],
    ['an empty message', key.sign(Buffer.alloc(0))],
  ];
}

function misnamed(key: SecurityKey, data: Buffer): MalformedSignature[] {
  const raw = key.rawSignature(data);
  const named = (name: string | Buffer) => Buffer.concat([field(name), field(raw), statement({})]);
  const bare = key.type.replace(/^sk-|@.*$/g, '');
  const cut = Buffer.from(named(key.type));
  cut.writeUInt32BE(cut.readUInt32BE() - 1);
  return [
    ['without a name', named('')],
    ['named as the plain algorithm', named(bare), bare],
    ['named without the domain', named(key.type.replace(/@.*$/, ''))],
    ['named in capitals', named(key.type.toUpperCase())],
    ['named with a NUL behind', named(`${key.type}\0`), `${key.type}\0`],
    ['named as what browsers sign', named(`webauthn-${key.type}`), `webauthn-${key.type}`],
    [
      'named as a certificate',
      named(key.type.replace('@', '-cert-v01@')),
      key.type.replace('@', '-cert-v01@'),
    ],
    ['named like a property of every object', named('__proto__'), '__proto__'],
    [
      'a name longer than the whole',
      Buffer.concat([Buffer.from('ffffffff', 'hex'), named(key.type).subarray(4)]),
    ],
    ['a name one byte short of its length', cut],
  ];
}

function misshapen(key: SecurityKey, data: Buffer): MalformedSignature[] {
  const raw = key.rawSignature(data);
  const shaped = (value: Buffer) => assemble(key.type, value, statement({}));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const wrongLength = (change: number) => {
    const blob = key.sign(data);
    const at = 4 + key.type.length;
    blob.writeUInt32BE(blob.readUInt32BE(at) + change, at);
    return blob;
  };
  const turned = Buffer.from(raw);
  turned[turned.length - 1] = (turned.at(-1) as number) ^ 1;
  const kind = key.type.includes('ecdsa') ? 'ecdsa' : 'ed25519';
  return [
    ['an empty signature', shaped(Buffer.alloc(0))],
    ['half a signature', shaped(raw.subarray(0, raw.length / 2))],
    ['a signature and a byte', shaped(Buffer.concat([raw, Buffer.alloc(1)]))],
    ['zeros', shaped(Buffer.alloc(64))],
    ['ones', shaped(Buffer.alloc(64, 0xff))],
    ['noise', shaped(randomBytes(64))],
    ['one bit turned', shaped(turned)],
    ['a length one too long', wrongLength(1)],
    ['a length one too short', wrongLength(-1)],
    ['a length of four gigabytes', wrongLength(0xff_ff_ff_00 - raw.length)],
    ['DER in its place', shaped(sign('sha256', data, privateKey))],
    ['DER that never ends', shaped(Buffer.concat([Buffer.from('3084ffffffff', 'hex'), Buffer.alloc(58)]))],
    ['numbers of zero', shaped(Buffer.concat([mpint(Buffer.alloc(1)), mpint(Buffer.alloc(1))]))],
    [
      'negative numbers',
      shaped(Buffer.concat([field(Buffer.alloc(32, 0x80)), field(Buffer.alloc(32, 0x80))])),
    ],
    ['of another key, else right', makeSecurityKey(kind).sign(data)],
    ['of a key of the other kind', makeSecurityKey(kind === 'ecdsa' ? 'ed25519' : 'ecdsa').sign(data)],
  ];
}
