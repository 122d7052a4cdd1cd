import type { LeftOut } from '../../auth/reaching-keys.ts';
import type { SyncOutcome } from '../../container-sshd/sync-keys.ts';
import type { ContainerTarget } from '../../targets/target.ts';
import { counted } from '../text-parts.ts';

const reasons: Readonly<Record<LeftOut['reason'], string>> = {
  'second-factor': 'a second factor is asked of them',
  'limited-grant': 'what is shared with them has limits',
  recording: 'their sessions there must be recorded',
};

/** What a sync came to, and whose keys it left out. */
export function syncAnswer(target: ContainerTarget, { synced, leftOut, user }: SyncOutcome) {
  const data = {
    container_id: target.id,
    user,
    synced,
    left_out: leftOut.map(({ account, reason }) => ({ account, reason })),
  };
  const lines = leftOut.map(({ account, reason }) => `Left out: the keys of ${account}; ${reasons[reason]}.`);
  const done = `${target.name}: ${counted(synced, 'key')} in the authorized_keys of ${user}.`;
  return { data, text: [done, ...lines].join('\n') };
}
