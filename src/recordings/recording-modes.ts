/** What is recorded: all, by the configuration, or what hangs on a target or an account. */
import type { Config } from '../config/config.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import type { Reader, Store } from '../store/store.ts';

/** `required`: without a recording there is no session. */
export type RecordingMode = 'on' | 'required';

export type RecordingSetting = RecordingMode | 'off';

export const accountRuleId = (accountId: string): string => `account:${accountId}`;

const ofConfig: Readonly<Record<Config['recordings'], RecordingSetting>> = {
  off: 'off',
  all: 'on',
  required: 'required',
};

/** The strictest of the configuration, the target's and the account's; undefined: nothing is recorded. */
export async function readRecordingMode(
  store: Reader,
  configured: Config['recordings'],
  { targetKey, accountId }: { readonly targetKey: string; readonly accountId: string },
): Promise<RecordingMode | undefined> {
  const settings = [
    ofConfig[configured],
    await readRecordingRule(store, targetKey),
    await readRecordingRule(store, accountRuleId(accountId)),
  ];
  if (settings.includes('required')) return 'required';
  return settings.includes('on') ? 'on' : undefined;
}

/** `id`: a target's key, or `account:ID`. */
export const readRecordingRule = async (store: Reader, id: string): Promise<RecordingSetting> =>
  (await store.get('recordingRules', id))?.mode ?? 'off';

export const putRecordingRule = (
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  id: string,
  setting: RecordingSetting,
): Promise<void> =>
  store.transact(async (transaction) => {
    if (setting === 'off') await transaction.remove('recordingRules', id);
    else await transaction.put('recordingRules', { id, mode: setting, since: isoTime(clock) });
  });
