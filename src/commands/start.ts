import { lifeCycleCommand } from './life-cycle.ts';

export const command = lifeCycleCommand('start', 'start a container that is yours', (targets, target) =>
  targets.start(target),
);
