import { expect, it } from 'vitest';
import { parseDefaultGateway } from '../../../src/platform/bridge-address.ts';

const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

it('is the gateway of the default route', () => {
  const routes = `${head}eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\neth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`;
  expect(parseDefaultGateway(routes)).toBe('172.17.0.1');
});

it.each([
  ['no routes', head],
  ['nothing', ''],
  [
    'a default route without a gateway',
    `${head}tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n`,
  ],
  [
    'half of the addresses by way of a gateway',
    `${head}tun0\t00000000\t010011AC\t0003\t0\t0\t0\t00000080\t0\t0\t0\n`,
  ],
  ['nonsense', `${head}eth0\t00000000\tzz\t0003\t0\t0\t0\t00000000\n`],
])('%s: there is none', (_what, routes) => expect(parseDefaultGateway(routes)).toBeUndefined());
