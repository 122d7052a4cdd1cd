/** --limit, of commands that tell the newest of much. */
import type { CommandContext, Option } from './command.ts';
import { optionText } from './text-parts.ts';

const usualLimit = 50;
const maxLimit = 10_000;

export const limitOption: Option = {
  type: 'string',
  placeholder: 'N',
  describe: `so many at most (default ${usualLimit})`,
};

/** From 1 to 10,000; where none is given, 50. Throws a usage error. */
export function parseLimit(value: string | boolean | undefined, context: CommandContext): number {
  const text = optionText(value);
  if (text === undefined) return usualLimit;
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > maxLimit) throw context.usage(`--limit is a number from 1 to ${maxLimit}`);
  return limit;
}
