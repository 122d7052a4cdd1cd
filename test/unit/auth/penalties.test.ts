import { describe, expect, it } from 'vitest';
import { checkPenalties, gatewayPenalties } from '../../../src/auth/gateway-penalties.ts';
import {
  createPenalties,
  type Offence,
  type Penalty,
  type RememberedPenalties,
} from '../../../src/auth/penalties.ts';
import { configSchema } from '../../../src/config/config.ts';

function open(
  given: Record<string, unknown> = {},
  exempt: readonly string[] = [],
  remembered?: RememberedPenalties,
) {
  const clock = { nowMs: 5_000_000, now: () => clock.nowMs };
  const activated: Penalty[] = [];
  const penalties = createPenalties({
    config: configSchema.parse(given),
    clock,
    isExempt: (address) => exempt.includes(address),
    remembered,
    onActive: (penalty) => activated.push(penalty),
  });
  const times = (count: number, address: string, offence: Offence = 'authfail') => {
    for (let index = 0; index < count; index++) penalties.penalise(address, offence);
  };
  const pass = (seconds: number) => {
    clock.nowMs += seconds * 1000;
  };
  return { penalties, activated, times, pass };
}

const source = '192.0.2.7';

describe('the arithmetic of sshd', () => {
  it('penalties accumulate, and are enforced above the minimum of 15 s', () => {
    const { penalties, activated, times } = open();
    times(3, source);
    expect(penalties.refuse(source)).toBeUndefined();
    expect(penalties.list(10)).toMatchObject([{ secondsLeft: 15, active: false }]);
    times(1, source);
    expect(penalties.refuse(source)).toEqual({ reason: 'authfail', secondsLeft: 20 });
    expect(activated).toMatchObject([{ source, reason: 'authfail', secondsLeft: 20 }]);
  });

  it('one run of 17 connections without a try is refused, ssh-keyscan and its kin are not', () => {
    const { penalties, times } = open();
    times(15, source, 'noauth');
    expect(penalties.refuse(source)).toBeUndefined();
    times(1, source, 'noauth');
    expect(penalties.refuse(source)?.reason).toBe('noauth');
  });

  it('a crash is enforced at once, for 90 s', () => {
    const { penalties, times, pass } = open();
    times(1, source, 'crash');
    pass(89);
    expect(penalties.refuse(source)).toEqual({ reason: 'crash', secondsLeft: 1 });
    pass(1);
    expect(penalties.refuse(source)).toBeUndefined();
  });

  it('they run off second by second: a try every 6 s is never enforced', () => {
    const { penalties, times, pass } = open();
    for (let index = 0; index < 1_000; index++) {
      times(1, source);
      pass(6);
      expect(penalties.refuse(source)).toBeUndefined();
    }
    expect(penalties.size()).toBe(0);
  });

  it('what is enforced stays so until it has run off, below the minimum too', () => {
    const { penalties, times, pass } = open();
    times(4, source);
    pass(19);
    expect(penalties.refuse(source)).toEqual({ reason: 'authfail', secondsLeft: 1 });
    pass(1);
    expect(penalties.refuse(source)).toBeUndefined();
    times(1, source);
    expect(penalties.refuse(source)).toBeUndefined();
  });

  it('never more than 10 minutes, however much is earned', () => {
    const { penalties, times } = open();
    times(10_000, source);
    expect(penalties.refuse(source)?.secondsLeft).toBe(600);
  });

  it('the latest offence is the reason; each has its own seconds', () => {
    const seconds = (['grace-exceeded', 'invaliduser', 'authfail', 'noauth', 'crash'] as const).map(
      (offence) => {
        const { penalties, times } = open();
        times(1, source, offence);
        return [penalties.list(1)[0]?.reason, penalties.list(1)[0]?.secondsLeft];
      },
    );
    expect(seconds).toEqual([
      ['grace-exceeded', 10],
      ['invaliduser', 5],
      ['authfail', 5],
      ['noauth', 1],
      ['crash', 90],
    ]);
  });

  it('is all off with false, and one offence with 0', () => {
    const off = open({ perSourcePenalties: false });
    off.times(100, source, 'crash');
    expect(off.penalties.refuse(source)).toBeUndefined();
    const lenient = open({ perSourcePenalties: { noauthSeconds: 0, minSeconds: 0 } });
    lenient.times(100, source, 'noauth');
    expect(lenient.penalties.size()).toBe(0);
    lenient.times(1, source);
    expect(lenient.penalties.refuse(source)?.secondsLeft).toBe(5);
  });

  it('who is exempt gets none, and gets in', () => {
    const { penalties, times } = open({}, [source]);
    times(100, source, 'crash');
    expect([penalties.size(), penalties.refuse(source)]).toEqual([0, undefined]);
  });

  it('who takes the place of another, by plain data, refuses whom that refused, for as long', () => {
    const before = open();
    before.times(4, source);
    before.times(1, '2001:db8::7');
    before.penalties.refuse(source);
    const memory = JSON.parse(JSON.stringify(before.penalties.remembered()));
    const { penalties, activated } = open({}, [], memory);
    expect(penalties.list(5)).toEqual(before.penalties.list(5));
    expect([penalties.refuse(source)?.secondsLeft, penalties.refusedCount()]).toEqual([20, 2]);
    expect([penalties.refuse('2001:db8::7'), activated]).toEqual([undefined, []]);
  });

  it('the sentence over HTTP says how long', async () => {
    const { penalties, times } = open();
    const asked = gatewayPenalties(penalties);
    await checkPenalties(asked, source);
    times(4, source);
    await expect(checkPenalties(asked, source)).rejects.toThrow('try again in 20 s');
  });
});

describe('which sources are one', () => {
  it('an IPv4-mapped address is its IPv4 address, written either way', () => {
    const { penalties, times } = open();
    times(2, '::ffff:192.0.2.7');
    times(2, '::ffff:c000:207');
    expect(penalties.refuse(source)?.reason).toBe('authfail');
    expect(penalties.list(5).map((each) => each.source)).toEqual([source]);
  });

  it('by PerSourceNetBlockSize a whole block pays, and no neighbour', () => {
    const { penalties, times } = open({ perSourceNetBlockSize: '24:64' });
    for (let host = 1; host <= 4; host++) times(1, `192.0.2.${host}`);
    for (let host = 1; host <= 4; host++) times(1, `2001:db8:0:1::${host}`);
    expect(penalties.list(5).map((each) => each.source)).toEqual(['192.0.2.0/24', '2001:db8:0:1::/64']);
    expect(penalties.refuse('192.0.2.200')).toBeDefined();
    expect(penalties.refuse('192.0.3.1')).toBeUndefined();
    expect(penalties.refuse('2001:db8:0:1:ffff::1')).toBeDefined();
    expect(penalties.refuse('2001:db8:0:2::1')).toBeUndefined();
  });
});

describe('penalty-table-flood', () => {
  const many = { perSourcePenalties: { maxSources4: 100, maxSources6: 100 } };

  it('permissive: strangers without number keep nobody out, and the table stays as large as it may be', () => {
    const { penalties, times } = open({});
    for (let index = 0; index < 80_000; index++) {
      times(1, `2001:db8::${(index >> 12).toString(16)}:${(index & 0xfff).toString(16)}`, 'crash');
    }
    expect(penalties.size()).toBe(65_536);
    expect(penalties.refuse('2001:db8:ffff::1')).toBeUndefined();
    expect(penalties.refuse(source)).toBeUndefined();
  });

  it('permissive: what ends soonest is forgotten first, so a flood of small ones frees no great one', () => {
    const { penalties, times } = open(many);
    times(1, source, 'crash');
    for (let index = 0; index < 500; index++) times(1, `198.51.${index >> 8}.${index & 255}`, 'noauth');
    expect(penalties.size()).toBe(100);
    expect(penalties.refuse(source)?.reason).toBe('crash');
  });

  it('deny-all: refuses everybody of that family until one has run off, and the other family nobody', () => {
    const { penalties, times, pass } = open({
      perSourcePenalties: { ...many.perSourcePenalties, overflow: 'deny-all' },
    });
    for (let index = 0; index < 100; index++) times(1, `198.51.100.${index}`, 'crash');
    expect(penalties.refuse(source)).toBeUndefined();
    times(1, '198.51.100.100', 'noauth');
    expect(penalties.refuse(source)?.reason).toBe('overflow');
    expect(penalties.refuse('2001:db8::1')).toBeUndefined();
    pass(1);
    expect(penalties.refuse(source)).toBeUndefined();
  });
});

describe('for admins', () => {
  it('lists the longest first with how often each was refused, and clears one or all', () => {
    const { penalties, times } = open();
    times(5, source);
    times(1, '192.0.2.8', 'crash');
    penalties.refuse(source);
    penalties.refuse(source);
    expect(penalties.list(1)).toMatchObject([{ source: '192.0.2.8' }]);
    expect(penalties.list(2)[1]).toEqual({
      ...{ source, reason: 'authfail', secondsLeft: 25, active: true, refused: 2 },
      expiresAt: undefined,
    });
    expect(penalties.refusedCount()).toBe(2);
    expect([penalties.clear(source), penalties.clear(source)]).toEqual([true, false]);
    expect(penalties.refuse(source)).toBeUndefined();
    expect([penalties.clearAll(), penalties.clearAll()]).toEqual([1, 0]);
  });
});
