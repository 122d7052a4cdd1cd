import { maskSecrets } from '../commands/interpreter/mask.ts';
import type { SessionStart } from './session.ts';

const maxLength = 200;
/** Secrets are many letters, and three stars when they are masked. */
const looksAt = 16 * 1024;

/** What a session runs, for lists and logs: masked, and cut to 200 characters. */
export function describeStart(start: SessionStart): string {
  if (start.kind === 'shell') return 'shell';
  if (start.kind === 'subsystem') return `subsystem ${start.name.slice(0, maxLength)}`;
  const masked = maskSecrets(start.command.slice(0, looksAt).toWellFormed());
  return masked.length > maxLength ? `${masked.slice(0, maxLength)}…` : masked;
}
