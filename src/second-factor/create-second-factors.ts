/** The rules about second factors over the store. Every code is taken inside a transaction: once, whoever sends it twice. */
import type { Identity } from '../auth/identity.ts';
import { GatewayError } from '../errors.ts';
import { isoTime } from '../platform/clock.ts';
import type { SecondFactorRow } from '../store/schema.ts';
import type { Transaction } from '../store/store.ts';
import { type CodeOutcome, checkCode } from './check-code.ts';
import { hashRecoveryCode, makeRecoveryCodes } from './recovery-codes.ts';
import type { SecondFactors, SecondFactorsDependencies } from './second-factors.ts';
import { noteProof } from './standing.ts';
import { makeSecret, otpauthUrl } from './totp.ts';

export function createSecondFactors(dependencies: SecondFactorsDependencies): SecondFactors {
  const { store, clock } = dependencies;
  /** `onRight` is done in the very transaction in which the code was taken. */
  const take = (
    accountId: string,
    code: string,
    onRight: (transaction: Transaction) => Promise<void> = async () => {},
  ): Promise<CodeOutcome | 'gone'> =>
    store.transact(async (transaction) => {
      const row = await transaction.get('secondFactors', accountId);
      const account = await transaction.get('accounts', accountId);
      if (row?.confirmedAt === undefined || !account || account.disabled) return 'gone';
      const checked = checkCode(row, code, clock.now());
      if (checked.row !== row) await transaction.put('secondFactors', checked.row);
      if (checked.outcome === 'right') await onRight(transaction);
      return checked.outcome;
    });

  return {
    find: (accountId) => store.get('secondFactors', accountId),
    ...enrolment(dependencies),
    ...remembering(dependencies),
    ...coverage(dependencies),

    async verify(identity, code) {
      refuse(await take(identity.accountId, code));
      noteProof(identity);
    },

    disable: async (accountId, code) =>
      refuse(await take(accountId, code, (transaction) => removeSecondFactor(transaction, accountId))),

    reset: ({ id }) =>
      store.transact(async (transaction) => {
        if (!(await transaction.get('secondFactors', id))) throw new GatewayError('no-second-factor', {});
        await removeSecondFactor(transaction, id);
      }),

    check: (accountId, code) => take(accountId, code),
  };
}

function enrolment({
  store,
  clock,
  issuer,
}: SecondFactorsDependencies): Pick<SecondFactors, 'enroll' | 'confirm'> {
  return {
    enroll: ({ id, name }) =>
      store.transact(async (transaction) => {
        const before = await transaction.get('secondFactors', id);
        if (before?.confirmedAt !== undefined) throw new GatewayError('second-factor-enrolled', {});
        const secret = makeSecret();
        const createdAt = isoTime(clock);
        const row: SecondFactorRow = { id, secret, createdAt, lastStep: 0, recoveryCodes: [], wrongCodes: 0 };
        await transaction.put('secondFactors', row);
        return { secret, url: otpauthUrl(secret, { issuer, label: name }) };
      }),

    async confirm(identity, code) {
      const recoveryCodes = makeRecoveryCodes();
      await store.transact(async (transaction) => {
        const row = await transaction.get('secondFactors', identity.accountId);
        if (!row) throw new GatewayError('no-enrolment', {});
        if (row.confirmedAt !== undefined) throw new GatewayError('second-factor-enrolled', {});
        const checked = checkCode(row, code, clock.now());
        if (checked.outcome !== 'right') throw new GatewayError('wrong-code', {});
        await transaction.put('secondFactors', {
          ...checked.row,
          confirmedAt: isoTime(clock),
          recoveryCodes: recoveryCodes.map(hashRecoveryCode),
        });
      });
      noteProof(identity);
      return recoveryCodes;
    },
  };
}

/** Where from, and with which key, nobody is asked again for a while. */
function remembering(dependencies: SecondFactorsDependencies): Pick<SecondFactors, 'neededFor' | 'remember'> {
  const { store, clock, isShared = () => false } = dependencies;
  const isRemembered = async (identity: Identity) => {
    if (dependencies.rememberHours === 0 || isShared(identity.source.address)) return false;
    const row = await store.get('rememberedLogins', rememberedId(identity));
    return row !== undefined && Date.parse(row.until) > clock.now();
  };
  return {
    async neededFor(identity) {
      const row = await store.get('secondFactors', identity.accountId);
      if (row?.confirmedAt === undefined) return 'nothing';
      return (await isRemembered(identity)) ? 'remembered' : 'code';
    },

    async remember(identity) {
      const { rememberHours } = dependencies;
      if (rememberHours === 0 || isShared(identity.source.address)) return;
      const now = clock.now();
      const until = new Date(now + rememberHours * 3_600_000).toISOString();
      await store.transact(async (transaction) => {
        for (const row of await transaction.list('rememberedLogins')) {
          if (Date.parse(row.until) <= now) await transaction.remove('rememberedLogins', row.id);
        }
        const id = rememberedId(identity);
        await transaction.put('rememberedLogins', { id, accountId: identity.accountId, until });
      });
    },
  };
}

/** Targets that ask for a second factor themselves. */
const coverage = ({
  store,
  clock,
}: SecondFactorsDependencies): Pick<SecondFactors, 'isTargetCovered' | 'coverTarget'> => ({
  isTargetCovered: async (targetKey) => (await store.get('secondFactorTargets', targetKey)) !== undefined,

  coverTarget: (targetKey, covered) =>
    store.transact(async (transaction) => {
      if (!covered) await transaction.remove('secondFactorTargets', targetKey);
      else await transaction.put('secondFactorTargets', { id: targetKey, since: isoTime(clock) });
    }),
});

/** With what was remembered because of it. Also for whoever removes the account. */
export async function removeSecondFactor(transaction: Transaction, accountId: string): Promise<void> {
  await transaction.remove('secondFactors', accountId);
  for (const row of await transaction.list('rememberedLogins', 'accountId', accountId)) {
    await transaction.remove('rememberedLogins', row.id);
  }
}

/** A key that is removed and added again has another id: it is remembered no more. */
const rememberedId = ({ accountId, keyId, fingerprint, source }: Identity) =>
  [accountId, keyId, fingerprint, source.address].join(' ');

function refuse(outcome: CodeOutcome | 'gone'): void {
  if (outcome === 'right') return;
  if (outcome === 'gone') throw new GatewayError('no-second-factor', {});
  if (outcome === 'wrong') throw new GatewayError('wrong-code', {});
  throw new GatewayError('codes-locked', outcome);
}
