/** Which containers exist at all as far as the gateway's people are concerned. */
import type { Config } from '../config/config.ts';
import type { ContainerTarget } from './target.ts';

/** Label of containers that the gateway makes for itself: sidecars, spares. They are never targets. */
export const internalLabel = 'postern.internal';

export interface VisibilityRules {
  readonly containers: Config['containers'];
  /** The gateway's own container, if it runs in one. */
  readonly ownContainerId: string | undefined;
}

export function isVisible(target: ContainerTarget, { containers, ownContainerId }: VisibilityRules): boolean {
  const { labels } = target;
  if (target.id === ownContainerId || Object.hasOwn(labels, internalLabel)) return false;
  if (/^(false|no|off|0)$/i.test(ownLabel(target, 'rexec.enable')?.trim() ?? '')) return false;
  return containers === 'all' || Object.keys(labels).some((name) => name.startsWith('rexec.'));
}

/** A label of the target's own; what an object inherits is no label. */
export function ownLabel(target: ContainerTarget, name: string): string | undefined {
  return Object.hasOwn(target.labels, name) ? target.labels[name] : undefined;
}

/** The account names in the label `rexec.owner`. */
export function ownersOf(target: ContainerTarget): readonly string[] {
  return (ownLabel(target, 'rexec.owner') ?? '').split(',').map((name) => name.trim());
}
