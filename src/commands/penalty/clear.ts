import { isIP } from 'node:net';
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';

export const command: Command = {
  path: ['penalty', 'clear'],
  summary: 'let a source in again at once, or all of them',
  examples: ['ssh GATEWAY penalty clear 192.0.2.7', 'ssh GATEWAY penalty clear --all'],
  positionals: [{ name: 'ADDRESS' }],
  options: { all: { type: 'boolean', describe: 'every source' } },
  permission: 'admin',
  changes: true,
  async run({ positionals, options }, { penalties, usage }) {
    const address = oneWord(positionals['ADDRESS']);
    if ((address === undefined) === (options['all'] !== true)) throw usage('name an ADDRESS, or say --all');
    if (address === undefined) {
      const cleared = await penalties.clearAll();
      return { data: { cleared }, text: `Cleared ${cleared === 1 ? '1 penalty' : `${cleared} penalties`}.` };
    }
    // As "penalty list" shows a block: any address in it is that source.
    const within = address.replace(/\/\d{1,3}$/, '');
    if (isIP(within) === 0) throw usage('ADDRESS is an IP address, as "penalty list" shows it');
    if (!(await penalties.clear(within))) throw new GatewayError('no-penalty', { address: excerpt(address) });
    return { data: { cleared: 1 }, text: `Cleared the penalty of ${address}.` };
  },
};
