import { version } from '../platform/version.ts';
import type { Command } from './command.ts';

export const command: Command = {
  path: ['version'],
  summary: "the gateway's version",
  examples: ['ssh GATEWAY version'],
  positionals: [],
  options: {},
  permission: 'anyone',
  secondFactor: 'spared',
  run: async () => ({ data: { version }, text: `postern ${version}` }),
};
