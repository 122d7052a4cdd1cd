import type { Command } from './command.ts';

export const command: Command = {
  path: ['exit'],
  summary: 'leave',
  positionals: [],
  options: {},
  permission: 'anyone',
  secondFactor: 'spared',
  async run(_args, { leave }) {
    leave();
    return { data: {}, text: '' };
  },
};
