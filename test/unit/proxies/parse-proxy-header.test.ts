import { describe, expect, it } from 'vitest';
import { parseProxyHeader } from '../../../src/proxies/parse-proxy-header.ts';
import { binaryHeader } from '../../support/proxy-header.ts';

const line = (text: string) => parseProxyHeader(Buffer.from(text, 'latin1'));
const ends = (source: string, sourcePort: number, local: string, localPort: number) => ({
  source: { address: source, port: sourcePort },
  local: { address: local, port: localPort },
});

describe('version 1', () => {
  it('tells both ends, and where it is over', () => {
    const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 50123 2222\r\n';
    const expected = {
      kind: 'header',
      length: header.length,
      ends: ends('192.0.2.7', 50123, '198.51.100.1', 2222),
    };
    expect(line(header)).toEqual(expected);
    expect(line(`${header}SSH-2.0-x\r\n`)).toEqual(expected);
  });

  it('IPv6, an IPv4-mapped address as IPv4', () => {
    expect(line('PROXY TCP6 2001:DB8::7 2001:db8::1 50123 2222\r\n')).toMatchObject({
      ends: ends('2001:db8::7', 50123, '2001:db8::1', 2222),
    });
    expect(line('PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n')).toMatchObject({
      ends: ends('192.0.2.7', 1, '::1', 2),
    });
  });

  it.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n'])(
    '%j says nothing',
    (text) => {
      expect(line(text)).toEqual({ kind: 'header', length: text.length });
    },
  );

  it('every beginning of it is incomplete', () => {
    const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 50123 2222\r\n';
    for (let length = 0; length < header.length; length++) {
      expect(line(header.slice(0, length))).toEqual({ kind: 'incomplete' });
    }
  });

  it.each([
    'SSH-2.0-OpenSSH_9.2\r\n',
    'GET / HTTP/1.1\r\n',
    'PROXY\r\n',
    'proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n',
    'PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n',
    `PROXY TCP4 ${' '.repeat(200)}\r\n`,
    'PROXY UNKNOWN '.padEnd(107, 'x'),
  ])('%j is malformed', (text) => expect(line(text)).toEqual({ kind: 'malformed' }));
});

describe('version 2', () => {
  it('tells both ends, of IPv4 and IPv6', () => {
    const four = binaryHeader({ source: '192.0.2.7', local: '198.51.100.1', ports: [50123, 2222] });
    expect(parseProxyHeader(four)).toEqual({
      ...{ kind: 'header', length: 28 },
      ends: ends('192.0.2.7', 50123, '198.51.100.1', 2222),
    });
    const six = binaryHeader({ source: '2001:db8::7', local: '::1', ports: [1, 2] });
    expect(parseProxyHeader(six)).toEqual({
      kind: 'header',
      length: 52,
      ends: ends('2001:db8::7', 1, '::1', 2),
    });
    const mapped = binaryHeader({ source: '::ffff:192.0.2.7', local: '::1', ports: [1, 2], bits: 128 });
    expect(parseProxyHeader(mapped)).toMatchObject({ ends: { source: { address: '192.0.2.7' } } });
  });

  it('skips TLVs, however many', () => {
    const tlvs = Buffer.alloc(65_535 - 12, 0xee);
    const header = binaryHeader({ source: '192.0.2.7', local: '198.51.100.1', ports: [1, 2], tlvs });
    expect(parseProxyHeader(header)).toMatchObject({
      length: 16 + 65_535,
      ends: { source: { address: '192.0.2.7' } },
    });
    expect(parseProxyHeader(header.subarray(0, -1))).toEqual({ kind: 'incomplete' });
  });

  it('LOCAL and what is not TCP are the proxy itself', () => {
    const addresses = { source: '192.0.2.7', local: '198.51.100.1', ports: [1, 2] as const };
    expect(parseProxyHeader(binaryHeader({ ...addresses, command: 0 }))).toEqual({
      kind: 'header',
      length: 28,
    });
    expect(parseProxyHeader(binaryHeader({ ...addresses, family: 0x00 }))).toEqual({
      kind: 'header',
      length: 28,
    });
    expect(parseProxyHeader(binaryHeader({ ...addresses, family: 0x12 }))).toEqual({
      kind: 'header',
      length: 28,
    });
    expect(parseProxyHeader(binaryHeader({ ...addresses, family: 0x31 }))).toEqual({
      kind: 'header',
      length: 28,
    });
  });

  it('every beginning of it is incomplete', () => {
    const header = binaryHeader({ source: '192.0.2.7', local: '198.51.100.1', ports: [1, 2] });
    for (let length = 0; length < header.length; length++) {
      expect(parseProxyHeader(header.subarray(0, length))).toEqual({ kind: 'incomplete' });
    }
  });

  it('another version, command or family, or addresses that do not fit, are malformed', () => {
    const addresses = { source: '192.0.2.7', local: '198.51.100.1', ports: [1, 2] as const };
    const changed = (at: number, value: number) => {
      const header = binaryHeader(addresses);
      header.writeUInt8(value, at);
      return parseProxyHeader(header);
    };
    const wrong = [
      changed(12, 0x11),
      changed(12, 0x22),
      changed(13, 0x41),
      changed(13, 0x13),
      changed(0, 0x0e),
    ];
    // IPv6 in twelve bytes.
    wrong.push(changed(13, 0x21));
    expect(wrong).toEqual(wrong.map(() => ({ kind: 'malformed' })));
  });
});
