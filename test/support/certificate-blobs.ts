/** Certificates put together by hand, field by field, and signed by a trusted key: sound, or broken in one place. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { field } from './keys.ts';

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const uint64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
/** A field whose length says 2^32 - 1. */
const endless = (content: Buffer) => Buffer.concat([uint32(0xffff_ffff), content]);
const bytesOf = (text: string | Buffer) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
const list = (...items: (string | Buffer)[]) => Buffer.concat(items.map((item) => field(bytesOf(item))));

export interface Signer {
  readonly blob: Buffer;
  readonly privateKey: KeyObject;
  /** RFC 8709 §6. */
  readonly sign: (data: Buffer) => Buffer;
}

export function makeSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    blob: list('ssh-ed25519', point),
    privateKey,
    sign: (data) => list('ssh-ed25519', sign(null, data, privateKey)),
  };
}

/** Every field as it stands in the blob, in order; the signature is made last, over all of them. */
export interface CertificateFields {
  type: Buffer;
  nonce: Buffer;
  key: Buffer;
  serial: Buffer;
  kind: Buffer;
  keyId: Buffer;
  principals: Buffer;
  validAfter: Buffer;
  validBefore: Buffer;
  criticalOptions: Buffer;
  extensions: Buffer;
  reserved: Buffer;
  authority: Buffer;
}

export const order = [
  'type',
  'nonce',
  'key',
  'serial',
  'kind',
  'keyId',
  'principals',
  'validAfter',
  'validBefore',
  'criticalOptions',
  'extensions',
  'reserved',
  'authority',
] as const satisfies readonly (keyof CertificateFields)[];

export function soundFields(holder: Signer, authority: Signer): CertificateFields {
  return {
    type: field('ssh-ed25519-cert-v01@openssh.com'),
    nonce: field(Buffer.alloc(32, 9)),
    key: holder.blob.subarray(4 + 'ssh-ed25519'.length),
    serial: uint64(42n),
    kind: uint32(1),
    keyId: field('by hand'),
    principals: field(list('alice')),
    validAfter: uint64(0n),
    validBefore: uint64(0xffff_ffff_ffff_ffffn),
    criticalOptions: field(''),
    extensions: field(list('permit-port-forwarding', '', 'permit-pty', '')),
    reserved: field(''),
    authority: field(authority.blob),
  };
}

/** Signed over whatever stands in it, so that only what is broken can refuse it. */
export function assemble(fields: CertificateFields, authority: Signer): Buffer {
  const signed = Buffer.concat(order.map((name) => fields[name]));
  return Buffer.concat([signed, field(authority.sign(signed))]);
}

export const one = (name: string, value: string | Buffer) => list(name, value);

/** What a hostile holder of a trusted authority, or of the wire, may put in the place of a sound field. */
export function brokenFields(sound: CertificateFields, holder: Signer, authority: Signer) {
  const inner = assemble(sound, authority);
  const options = (...parts: Buffer[]) => field(Buffer.concat(parts));
  const point = holder.blob.subarray(-32);
  const broken: Record<string, Partial<CertificateFields>> = {
    'type of version 00': { type: field('ssh-ed25519-cert-v00@openssh.com') },
    'type of version 02': { type: field('ssh-ed25519-cert-v02@openssh.com') },
    'type of another key': { type: field('ecdsa-sha2-nistp256-cert-v01@openssh.com') },
    'type rsa over an ed25519 key': { type: field('ssh-rsa-cert-v01@openssh.com') },
    'type of DSA': { type: field('ssh-dss-cert-v01@openssh.com') },
    'type with something in front': { type: field('xssh-ed25519-cert-v01@openssh.com') },
    'key a byte short': { key: field(point.subarray(1)) },
    'key a byte long': { key: field(Buffer.concat([point, Buffer.alloc(1)])) },
    'key empty': { key: field('') },
    'key of small order': { key: field(Buffer.alloc(32)) },
    'kind 0': { kind: uint32(0) },
    'kind 3': { kind: uint32(3) },
    'kind 2^32 - 1': { kind: uint32(0xffff_ffff) },
    'key id with NUL': { keyId: field('by\0hand') },
    'key id that is no UTF-8': { keyId: field(Buffer.from([0xff, 0xfe])) },
    'key id too long': { keyId: field(Buffer.alloc(5_000, 97)) },
    'principal empty': { principals: field(list('alice', '')) },
    'principal with NUL': { principals: field(list('alice\0')) },
    'principals cut short': { principals: field(list('alice').subarray(0, -1)) },
    'principals with a byte after': { principals: field(Buffer.concat([list('alice'), Buffer.alloc(1)])) },
    'principal of endless length': { principals: field(endless(Buffer.from('alice'))) },
    'principals by the hundred': { principals: field(list(...Array<string>(257).fill('alice'))) },
    'validity that ends before it begins': { validAfter: uint64(9n), validBefore: uint64(8n) },
    'validity of no time at all': { validAfter: uint64(8n), validBefore: uint64(8n) },
    'critical option twice': {
      criticalOptions: options(one('force-command', list('id')), one('force-command', list('ls'))),
    },
    'critical options out of order': {
      criticalOptions: options(one('source-address', list('::/0')), one('force-command', list('id'))),
    },
    'critical option without value': { criticalOptions: field(field('force-command')) },
    'critical option without name': { criticalOptions: options(one('', '')) },
    'critical option with a blank in its name': {
      criticalOptions: options(one('force command', list('id'))),
    },
    'critical options of endless length': { criticalOptions: field(endless(one('a', ''))) },
    'critical option that is unknown': { criticalOptions: options(one('foo@example.com', '')) },
    'force-command bare': { criticalOptions: options(one('force-command', 'id')) },
    'force-command with a byte after': { criticalOptions: options(one('force-command', `${list('id')}x`)) },
    'force-command empty': { criticalOptions: options(one('force-command', list(''))) },
    'force-command with NUL': { criticalOptions: options(one('force-command', list('id\0'))) },
    'force-command that moves the cursor': {
      criticalOptions: options(one('force-command', list('\x1b[2J'))),
    },
    'source-address empty': { criticalOptions: options(one('source-address', list(''))) },
    'source-address negated': { criticalOptions: options(one('source-address', list('!127.0.0.1'))) },
    'source-address with a star': { criticalOptions: options(one('source-address', list('*'))) },
    'source-address of too many bits': {
      criticalOptions: options(one('source-address', list('127.0.0.0/33'))),
    },
    'verify-required without a token': { criticalOptions: options(one('verify-required', '')) },
    'extension twice': { extensions: options(one('permit-pty', ''), one('permit-pty', '')) },
    'extensions out of order': {
      extensions: options(one('permit-pty', ''), one('permit-agent-forwarding', '')),
    },
    'extension with a value it does not take': { extensions: options(one('permit-pty', list('yes'))) },
    'extensions by the hundred': {
      extensions: options(
        ...Array.from({ length: 100 }, (_, index) => one(`x${String(index).padStart(3, '0')}`, '')),
      ),
    },
    'authority that is a certificate': { authority: field(inner) },
    'authority with a byte after': { authority: field(Buffer.concat([authority.blob, Buffer.alloc(1)])) },
    'authority cut short': { authority: field(authority.blob.subarray(0, -1)) },
    'authority empty': { authority: field('') },
    'authority of DSA': { authority: field(list('ssh-dss', 'p', 'q', 'g', 'y')) },
    'authority of 1024 bits': {
      authority: field(
        list('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.concat([Buffer.from([0]), Buffer.alloc(128, 255)])),
      ),
    },
    'authority of small order': { authority: field(list('ssh-ed25519', Buffer.alloc(32))) },
    'authority that is not the one that signed': { authority: field(holder.blob) },
  };
  return broken;
}

/** Blobs that must be refused, by what is wrong with them. Each is signed by the trusted authority as far as it can be. */
export function malformedCertificates(holder: Signer, authority: Signer): ReadonlyMap<string, Buffer> {
  const sound = soundFields(holder, authority);
  const whole = assemble(sound, authority);
  const malformed = new Map<string, Buffer>([
    ['a byte after the signature', Buffer.concat([whole, Buffer.alloc(1)])],
  ]);
  let end = 0;
  for (const name of order) {
    malformed.set(`cut in the middle of ${name}`, whole.subarray(0, end + Math.ceil(sound[name].length / 2)));
    end += sound[name].length;
    malformed.set(`cut after ${name}`, whole.subarray(0, end));
    const isString = !['serial', 'kind', 'validAfter', 'validBefore'].includes(name);
    if (!isString) continue;
    const fields = { ...sound, [name]: endless(sound[name].subarray(4)) };
    malformed.set(`${name} of length 2^32 - 1`, assemble(fields, authority));
  }
  const signed = whole.subarray(0, end);
  const signatures: Record<string, Buffer> = {
    'signature empty': field(''),
    'signature of length 2^32 - 1': endless(authority.sign(signed)),
    'signature without a name': field(authority.sign(signed).subarray(-64)),
    'signature a byte short': field(authority.sign(signed).subarray(0, -1)),
    'signature with a byte after': field(Buffer.concat([authority.sign(signed), Buffer.alloc(1)])),
    'signature by SHA-1': field(list('ssh-rsa', authority.sign(signed).subarray(-64))),
    'signature named after the certificate': field(
      list('ssh-ed25519-cert-v01@openssh.com', authority.sign(signed).subarray(-64)),
    ),
    'signature by the holder': field(holder.sign(signed)),
    'signature of nothing': field(authority.sign(Buffer.alloc(0))),
  };
  for (const [name, signature] of Object.entries(signatures)) {
    malformed.set(name, Buffer.concat([signed, signature]));
  }
  for (const [name, fields] of Object.entries(brokenFields(sound, holder, authority))) {
    malformed.set(name, assemble({ ...sound, ...fields }, authority));
  }
  return malformed;
}
