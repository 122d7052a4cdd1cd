import type { Command } from '../command.ts';
import { getManagedTarget } from '../managed-target.ts';
import { oneWord } from '../text-parts.ts';
import { grantsAnswer } from './grants-answer.ts';

export const command: Command = {
  path: ['share', 'show'],
  summary: 'which accounts a target is shared with',
  examples: ['ssh GATEWAY share show web'],
  positionals: [{ name: 'TARGET', required: true, completes: 'target' }],
  options: {},
  permission: 'anyone',
  async run({ positionals }, context) {
    return grantsAnswer(
      await getManagedTarget(oneWord(positionals['TARGET']) ?? '', 'share show', context),
      context,
    );
  },
};
