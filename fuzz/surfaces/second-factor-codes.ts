/** Codes that people type as a second factor. */
import { checkCode } from '../../src/second-factor/check-code.ts';
import { hashRecoveryCode } from '../../src/second-factor/recovery-codes.ts';
import { codeAt, stepAt } from '../../src/second-factor/totp.ts';
import type { SecondFactorRow } from '../../src/store/schema.ts';
import { mutant } from '../mutate.ts';
import { expectThat, type Surface } from '../surface.ts';

const nowMs = Date.parse('2026-01-15T12:00:00.000Z');
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const recoveryCode = 'abcd2345efgh6777';
const codes = [-1, 0, 1].map((drift) => codeAt(secret, stepAt(nowMs) + drift));
const good = new Set([...codes, recoveryCode]);
const seeds = [...good, '123 456', 'abcd-2345-efgh-6777'].map((text) => Buffer.from(text));

const row = {
  secret,
  lastStep: 0,
  wrongCodes: 0,
  recoveryCodes: [hashRecoveryCode(recoveryCode)],
} as unknown as SecondFactorRow;

export const secondFactorCodes: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(seeds, random),
    run(input) {
      const typed = input.toString('utf8');
      const { outcome } = checkCode(row, typed, nowMs);
      const plain = typed.replace(/[\s-]/g, '').toLowerCase();
      expectThat((outcome === 'right') === (typed.length <= 64 && good.has(plain)), `it is ${outcome}`);
    },
    close: async () => {},
  }),
};
