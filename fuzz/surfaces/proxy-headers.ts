/** What a proxy says before the first byte of a connection: the PROXY protocol, versions 1 and 2. */
import { isIP } from 'node:net';
import { parseProxyHeader } from '../../src/proxies/parse-proxy-header.ts';
import { mutant } from '../mutate.ts';
import { expectThat, type Surface } from '../surface.ts';

const binary = (family: number, addresses: Buffer) => {
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\0\0\0', 'latin1');
  head[13] = family;
  head.writeUInt16BE(addresses.length, 14);
  return Buffer.concat([head, addresses]);
};
const headers = [
  Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 4000 22\r\nSSH-2.0-x\r\n'),
  Buffer.from('PROXY TCP6 2001:db8::1 ::1 4000 22\r\n'),
  Buffer.from('PROXY UNKNOWN\r\n'),
  binary(0x11, Buffer.alloc(12, 1)),
  binary(0x21, Buffer.alloc(36 + 20, 1)),
  binary(0, Buffer.alloc(0)),
];

export const proxyHeaders: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(headers, random),
    run(input) {
      const header = parseProxyHeader(input);
      if (header.kind !== 'header') return;
      expectThat(header.length > 0 && header.length <= input.length, 'a header longer than what came');
      if (!header.ends) return;
      for (const { address, port } of [header.ends.source, header.ends.local]) {
        expectThat(isIP(address) !== 0 && port >= 0 && port <= 65_535, `the address ${address}:${port}`);
      }
    },
    close: async () => {},
  }),
};
