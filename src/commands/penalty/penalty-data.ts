import type { Penalty } from '../../auth/penalties.ts';

export const penaltyData = ({ source, reason, secondsLeft, active, refused }: Penalty) => ({
  source,
  reason,
  seconds_left: secondsLeft,
  active,
  refused,
});
