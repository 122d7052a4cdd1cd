import type { Authorization } from '../auth/authorization.ts';
import type { RecordingFacts } from '../recordings/recordings.ts';

type WhoAndWhere = Omit<RecordingFacts, 'id' | 'kind' | 'command' | 'terminal'>;

/** Who does something where, as a recording's header says it. */
export const whoAndWhere = (
  { identity, target, user }: Authorization,
  connectionId: string,
): WhoAndWhere => ({
  account: identity.accountName,
  accountId: identity.accountId,
  fingerprint: identity.fingerprint,
  source: identity.source.address,
  connectionId,
  target: target.name,
  targetKey: target.key,
  ...(user === undefined ? {} : { user }),
});
