import { describe, expect, it } from 'vitest';
import { createAddressBlocks } from '../../../src/config/address-blocks.ts';
import { findForwardedSource } from '../../../src/proxies/forwarded-for.ts';

const trusted = createAddressBlocks(['10.0.0.0/8', '2001:db8:1::/48']);
const from = (peer: string, header: string | undefined) => findForwardedSource(peer, header, trusted);

describe('X-Forwarded-For', () => {
  it.each([
    ['10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['::ffff:10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['10.0.0.1', '192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['10.0.0.1', '192.0.2.7:5123', '192.0.2.7'],
    ['10.0.0.1', '[2001:db8::7]:5123', '2001:db8::7'],
    ['10.0.0.1', '2001:DB8::7', '2001:db8::7'],
    ['10.0.0.1', '::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1::1', '192.0.2.7', '192.0.2.7'],
    ['10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
  ])('of %s: %s is %s', (peer, header, expected) => expect(from(peer, header)).toBe(expected));

  it.each([
    ['what a client wrote itself stands to the left', '198.51.100.9, 192.0.2.7', '192.0.2.7'],
    ['so does a trusted address that it wrote', '10.9.9.9, 192.0.2.7', '192.0.2.7'],
    ['behind nonsense nothing is read', '198.51.100.9, nonsense, 10.0.0.2', '10.0.0.2'],
  ])('forged-hops: %s', (_what, header, expected) => expect(from('10.0.0.1', header)).toBe(expected));

  it.each(['unknown', '_hidden', '', ' ', 'fe80::1%eth0', '192.0.2.256', '1.2.3', '::1::'])(
    '%j is no address',
    (header) => expect(from('10.0.0.1', header)).toBeUndefined(),
  );

  it('is not read from who is not listed, nor where there is none', () => {
    expect(from('192.0.2.1', '198.51.100.9')).toBeUndefined();
    expect(from('10.0.0.1', undefined)).toBeUndefined();
  });
});
