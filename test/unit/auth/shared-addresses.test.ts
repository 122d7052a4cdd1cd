import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createSharedAddresses } from '../../../src/auth/shared-addresses.ts';
import { configSchema } from '../../../src/config/config.ts';

function open(given: Record<string, unknown>, bridge?: string) {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  return { lines, ...createSharedAddresses(configSchema.parse(given), bridge, log) };
}

it("the bridge's address is everybody's, and the log says once what to do", () => {
  const { isShared, lines } = open({}, '172.17.0.1');
  expect(lines).toEqual([]);
  expect(['::ffff:172.17.0.1', '172.17.0.1', '172.17.0.2'].map(isShared)).toEqual([true, true, false]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('--network host');
  expect(lines[0]).toContain('proxyProtocolFrom');
});

it('it can be named, or be nobody', () => {
  expect(open({ bridgeAddress: '192.0.2.1' }, '172.17.0.1').isShared('192.0.2.1')).toBe(true);
  expect(open({ bridgeAddress: '192.0.2.1' }, '172.17.0.1').isShared('172.17.0.1')).toBe(false);
  expect(open({ bridgeAddress: 'none' }, '172.17.0.1').isShared('172.17.0.1')).toBe(false);
  expect(open({}).isShared('172.17.0.1')).toBe(false);
});

it('so are those of listed proxies, without a word', () => {
  const { isShared, lines } = open({ proxyProtocolFrom: ['10.0.0.0/24'], trustedProxies: ['10.0.1.1'] });
  expect(['10.0.0.9', '10.0.1.1', '10.0.1.2'].map(isShared)).toEqual([true, true, false]);
  expect(lines).toEqual([]);
});
