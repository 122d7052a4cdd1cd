import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { padFromStock, type Ssh2Cipher } from '../../../src/ssh/packet-padding.ts';

const require = createRequire(import.meta.url);
const { init, createCipher, NullCipher } = require('ssh2/lib/protocol/crypto.js') as {
  readonly init: Promise<void>;
  createCipher(config: object): Ssh2Cipher;
  readonly NullCipher: new (seqno: number, onWrite: () => void) => Ssh2Cipher;
};
const { CIPHER_INFO, MAC_INFO } = require('ssh2/lib/protocol/crypto.js') as {
  readonly CIPHER_INFO: Record<string, { keyLen: number; ivLen: number }>;
  readonly MAC_INFO: Record<string, { len: number }>;
};

await init;

const pairs = [
  ['aes128-gcm@openssh.com', undefined],
  ['aes256-gcm@openssh.com', undefined],
  ['chacha20-poly1305@openssh.com', undefined],
  ['aes128-ctr', 'hmac-sha2-256-etm@openssh.com'],
  ['aes256-ctr', 'hmac-sha2-256'],
] as const;

function cipherOf(name: string, mac: string | undefined): Ssh2Cipher {
  const info = CIPHER_INFO[name];
  const macInfo = mac && MAC_INFO[mac];
  return createCipher({
    outbound: {
      seqno: 0,
      onWrite: () => {},
      cipherInfo: info,
      cipherKey: Buffer.alloc(info?.keyLen ?? 0, 1),
      cipherIV: Buffer.alloc(info?.ivLen ?? 0, 2),
      ...(macInfo && { macInfo, macKey: Buffer.alloc(macInfo.len, 3) }),
    },
  });
}

const payloads = [0, 1, 2, 3, 7, 8, 11, 15, 16, 17, 31, 32, 100, 4_096, 32_777];

// Before any of them is changed: some share a class.
const cases = [
  { name: 'none, before there are keys', cipher: new NullCipher(0, () => {}) },
  ...pairs.map(([name, mac]) => ({ name: mac ? `${name} with ${mac}` : name, cipher: cipherOf(name, mac) })),
].map(({ name, cipher }) => ({
  ...{ name, cipher },
  theirs: payloads.map((bytes) => cipher.allocPacket(bytes)),
}));

it.each(cases)('a packet of $name is laid out as ssh2 would have it', ({ cipher, theirs }) => {
  padFromStock(cipher);
  payloads.forEach((bytes, index) => {
    const packet = cipher.allocPacket(bytes);
    expect(packet.length).toBe(theirs[index]?.length);
    expect(packet.subarray(0, 5)).toEqual(theirs[index]?.subarray(0, 5));
  });
});

it('the ciphers of every connection are among those whose padding comes out of the stock', () => {
  for (const { cipher } of cases) expect(String(cipher.allocPacket)).not.toContain('randomFillSync');
});

it('padding-is-random: no padding comes twice, also when the stock was filled anew', () => {
  const cipher = cipherOf('aes128-gcm@openssh.com', undefined);
  padFromStock(cipher);
  const seen = new Set<string>();
  const packets = 4_000;
  for (let n = 0; n < packets; n++) {
    const packet = cipher.allocPacket(0);
    seen.add(packet.subarray(5, 5 + (packet[4] as number)).toString('hex'));
  }
  expect(seen.size).toBe(packets);
});
