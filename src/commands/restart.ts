import { lifeCycleCommand } from './life-cycle.ts';

export const command = lifeCycleCommand('restart', 'restart a container that is yours', (targets, target) =>
  targets.restart(target),
);
