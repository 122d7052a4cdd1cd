import { describe, expect, it } from 'vitest';
import { createAddressBlocks, liveAddressBlocks } from '../../../src/config/address-blocks.ts';
import { loadConfig } from '../../../src/config/load-config.ts';

const load = (flags: Record<string, unknown>, env: NodeJS.ProcessEnv = {}) =>
  loadConfig({ env, flags }).config;

describe('limits in the configuration', () => {
  it('has the defaults of sshd', () => {
    const { maxStartups, perSourceMaxStartups, perSourceNetBlockSize, perSourcePenalties } = load({});
    expect(maxStartups).toEqual({ start: 10, ratePercent: 30, full: 100 });
    expect(perSourceMaxStartups).toBe(10);
    expect(perSourceNetBlockSize).toEqual({ ipv4Bits: 32, ipv6Bits: 128 });
    expect(perSourcePenalties).toEqual({
      crashSeconds: 90,
      authfailSeconds: 5,
      noauthSeconds: 1,
      graceExceededSeconds: 10,
      invaliduserSeconds: 5,
      maxSeconds: 600,
      minSeconds: 15,
      maxSources4: 65_536,
      maxSources6: 65_536,
      overflow: 'permissive',
    });
  });

  it('takes them as sshd_config writes them, from variables too', () => {
    const config = load({}, { POSTERN_MAX_STARTUPS: '5:50:60', POSTERN_PER_SOURCE_NET_BLOCK_SIZE: '24:64' });
    expect(config.maxStartups).toEqual({ start: 5, ratePercent: 50, full: 60 });
    expect(load({ maxStartups: '7' }).maxStartups).toEqual({ start: 7, ratePercent: 100, full: 7 });
    expect(config.perSourceNetBlockSize).toEqual({ ipv4Bits: 24, ipv6Bits: 64 });
    expect(load({}, { POSTERN_PER_SOURCE_PENALTIES: 'false' }).perSourcePenalties).toBe(false);
    const list = load({}, { POSTERN_PER_SOURCE_PENALTY_EXEMPT_LIST: '["192.0.2.0/24","::1"]' });
    expect(list.perSourcePenaltyExemptList).toEqual(['192.0.2.0/24', '::1']);
  });

  it.each([
    [{ maxStartups: '10:30' }, /maxStartups is wrong: must be START:RATE:FULL/],
    [{ maxStartups: '10:101:100' }, /maxStartups/],
    [{ maxStartups: '100:30:10' }, /with START at most FULL/],
    [{ perSourceNetBlockSize: '33:128' }, /perSourceNetBlockSize is wrong: must be the bits/],
    [{ perSourcePenalties: { authfail: 5 } }, /unknown configuration key authfail/],
    [{ perSourcePenalties: true }, /perSourcePenalties is wrong: must be false, or/],
    [{ perSourcePenaltyExemptList: ['office'] }, /perSourcePenaltyExemptList/],
    [{ proxyProtocolFrom: ['192.0.2.0/33'] }, /proxyProtocolFrom/],
    [{ trustedProxies: ['10.0.0.0/'] }, /trustedProxies/],
    [{ bridgeAddress: 'docker0' }, /bridgeAddress is wrong: must be auto, none or an address/],
  ])('%j is refused with its name', (flags, sentence) => {
    expect(() => load(flags)).toThrow(sentence);
  });
});

describe('lists of addresses', () => {
  const blocks = createAddressBlocks(['192.0.2.7', '198.51.100.0/24', '2001:db8::/32', '::ffff:203.0.113.9']);

  it.each([
    ['192.0.2.7', true],
    ['::ffff:192.0.2.7', true],
    ['192.0.2.8', false],
    ['198.51.100.255', true],
    ['198.51.101.0', false],
    ['2001:db8:ffff::1', true],
    ['2001:db9::1', false],
    ['203.0.113.9', true],
    ['', false],
    ['local', false],
  ])('%s: %s', (address, expected) => expect(blocks.has(address)).toBe(expected));

  it('a list that a reload replaces is the new one at once', () => {
    let list: readonly string[] = ['192.0.2.7'];
    const live = liveAddressBlocks(() => list);
    expect([live.has('192.0.2.7'), live.has('192.0.2.8')]).toEqual([true, false]);
    list = ['192.0.2.8'];
    expect([live.has('192.0.2.7'), live.has('192.0.2.8')]).toEqual([false, true]);
  });
});
