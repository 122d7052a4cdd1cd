/**
 * The points of the ed25519 curve whose order is 1, 2, 4 or 8 (y coordinates, little-endian, also in the
 * encodings y + p that decoders let pass), the sign bit apart. With such a public key, signatures that
 * verify can be made without any private key.
 */
const smallOrderY = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => Buffer.from(hex, 'hex'));

export function isSmallOrder(point: Buffer): boolean {
  const y = Buffer.from(point);
  y[31] = (y[31] as number) & 0x7f;
  return smallOrderY.some((small) => small.equals(y));
}
