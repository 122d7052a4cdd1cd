import { describe, expect, it } from 'vitest';
import { checkCode } from '../../../src/second-factor/check-code.ts';
import { hashRecoveryCode, makeRecoveryCodes } from '../../../src/second-factor/recovery-codes.ts';
import { codeAt, makeSecret, stepAt } from '../../../src/second-factor/totp.ts';
import type { SecondFactorRow } from '../../../src/store/schema.ts';

const start = Date.parse('2026-01-15T12:00:00.000Z');
const secret = makeSecret();
const fresh: SecondFactorRow = {
  id: 'a',
  secret,
  createdAt: new Date(start).toISOString(),
  confirmedAt: new Date(start).toISOString(),
  lastStep: 0,
  recoveryCodes: [],
  wrongCodes: 0,
};
const codeIn = (steps: number, now = start) => codeAt(secret, stepAt(now) + steps);
/** None of the three codes that are right at `now`. */
const wrongAt = (now: number) => {
  const right = new Set([-1, 0, 1].map((steps) => codeIn(steps, now)));
  return ['000000', '111111', '222222', '333333'].find((code) => !right.has(code)) as string;
};

/** `count` wrong codes, each given as soon as one is taken again; the locks they met, in seconds. */
function locksOf(count: number) {
  let row = fresh;
  let now = start;
  const locks: number[] = [];
  for (let tries = 0; tries < count; tries++) {
    row = checkCode(row, wrongAt(now), now).row;
    if (row.lockedUntil === undefined) continue;
    locks.push((Date.parse(row.lockedUntil) - now) / 1_000);
    now = Date.parse(row.lockedUntil);
  }
  return { row, locks, now };
}

describe('a code', () => {
  it('is good once: replayed, it is wrong', () => {
    const first = checkCode(fresh, codeIn(0), start);
    expect(first.outcome).toBe('right');
    expect(checkCode(first.row, codeIn(0), start + 1_000).outcome).toBe('wrong');
  });

  it('one from before the last that was taken is wrong, though its time is not over', () => {
    const { row } = checkCode(fresh, codeIn(1), start);
    expect([codeIn(-1), codeIn(0), codeIn(1)].map((code) => checkCode(row, code, start).outcome)).toEqual([
      'wrong',
      'wrong',
      'wrong',
    ]);
    expect(checkCode(row, codeIn(2), start + 30_000).outcome).toBe('right');
  });

  it('counts as apps show it, with a blank in its middle', () => {
    const code = codeIn(0);
    expect(checkCode(fresh, ` ${code.slice(0, 3)} ${code.slice(3)}\n`, start).outcome).toBe('right');
  });

  it('a megabyte of blanks round the right code is not looked at', () => {
    expect(checkCode(fresh, ' '.repeat(1_000_000) + codeIn(0), start).outcome).toBe('wrong');
  });
});

describe('a recovery code', () => {
  const codes = makeRecoveryCodes();
  const row = { ...fresh, recoveryCodes: codes.map(hashRecoveryCode) };

  it('there are ten, of 80 bits, and no two alike', () => {
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
  });

  it('is good once, in any spelling', () => {
    const first = checkCode(row, (codes[3] as string).toUpperCase().replaceAll('-', ' '), start);
    expect(first.outcome).toBe('right');
    expect(first.row.recoveryCodes).toHaveLength(9);
    expect(checkCode(first.row, codes[3] as string, start).outcome).toBe('wrong');
    expect(checkCode(first.row, codes[4] as string, start).outcome).toBe('right');
  });

  it('its hash is no code', () => {
    expect(checkCode(row, row.recoveryCodes[0] as string, start).outcome).toBe('wrong');
  });
});

describe('brute force', () => {
  it('each five wrong codes lock for longer, up to a day', () => {
    expect(locksOf(45).locks).toEqual([60, 240, 960, 3840, 15360, 61440, 86400, 86400, 86400]);
  });

  it('while it is locked no code is right, and none is counted', () => {
    const { row, now } = locksOf(5);
    const before = now - 1;
    const checked = checkCode(row, codeIn(0, before), before);
    expect(checked.outcome).toEqual({ lockedUntil: row.lockedUntil });
    expect(checked.row).toBe(row);
    expect(checkCode(row, codeIn(0, now), now).outcome).toBe('right');
  });

  it('a right code forgets the wrong ones', () => {
    const { row, now } = locksOf(9);
    const right = checkCode(row, codeIn(0, now), now);
    expect(right.row).toMatchObject({ wrongCodes: 0 });
    expect(right.row.lockedUntil).toBeUndefined();
  });

  it('guessing without a pause for a year tries fewer than 2,000 codes', () => {
    const year = 365 * 86_400;
    let spent = 0;
    let tried = 0;
    for (const lock of locksOf(2_000).locks) {
      if (spent > year) break;
      spent += lock;
      tried += 5;
    }
    expect(spent).toBeGreaterThan(year);
    expect(tried).toBeLessThan(2_000);
  });
});
