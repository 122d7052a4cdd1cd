import { lifeCycleCommand } from './life-cycle.ts';

export const command = lifeCycleCommand('stop', 'stop a container that is yours', (targets, target) =>
  targets.stop(target),
);
